// Runs before anything else of a page: notes when it last drew something, what it still wants to draw, and how many
// answers it waits for. On a busy machine seconds pass between two frames or two tasks of a page; so a page is still not
// because time has passed, but because it had its turns meanwhile (`beats`) and nothing that it asked for is open.
(() => {
  const seen = { drawn: performance.now(), beats: 0, frames: 0, waiting: 0, wanted: new Set() };
  Object.defineProperty(window, '__seen', { value: seen });
  const touched = () => {
    seen.drawn = performance.now();
    seen.beats = 0;
  };
  const later = window.setTimeout.bind(window);
  const beat = () => {
    seen.beats += 1;
    later(beat, 40);
  };
  beat();
  new MutationObserver(touched).observe(document, { childList: true, characterData: true, subtree: true });
  const frame = window.requestAnimationFrame;
  const cancel = window.cancelAnimationFrame;
  window.requestAnimationFrame = callback => {
    const id = frame.call(window, time => {
      seen.wanted.delete(id);
      seen.frames += 1;
      try {
        return callback(time);
      } finally {
        touched();
      }
    });
    seen.wanted.add(id);
    return id;
  };
  window.cancelAnimationFrame = id => {
    seen.wanted.delete(id);
    return cancel.call(window, id);
  };
  const ask = window.fetch;
  window.fetch = (...args) => {
    const answer = ask.apply(window, args);
    const done = () => {
      seen.waiting -= 1;
      touched();
    };
    seen.waiting += 1;
    answer.then(done, done);
    return answer;
  };
})();
