// Opens the window of every message of a failure, puts what it says in the message's place, and returns the texts.
// VISIBLE and INVISIBLE stand for milliseconds that a window has to come and to go.
(async () => {
  const until = async (milliseconds, check) => {
    const end = performance.now() + milliseconds;
    for (;;) {
      const found = check();
      if (found || performance.now() > end) return found;
      await new Promise(done => setTimeout(done, 50));
    }
  };
  const shown = () =>
    [...document.querySelectorAll('.ant-modal-content')].find(content => content.getBoundingClientRect().width > 0);
  const texts = [];
  // together no longer than Chromium may take for an answer
  const end = performance.now() + 20000;
  for (const message of document.querySelectorAll('[role="alert"]')) {
    if (performance.now() > end || texts.length === 50) break;
    const button = message.querySelector('button, [role="button"]');
    if (!button || shown()) continue;
    button.click();
    const content = await until(VISIBLE, shown);
    const body = content?.querySelector('.ant-modal-body');
    const said = body?.cloneNode(true);
    const text = (body?.innerText ?? '').replace(/\s+/g, ' ').trim();
    content?.querySelector('.ant-modal-close')?.click();
    await until(INVISIBLE, () => !shown());
    if (!said || !text) continue;
    message.replaceChildren(...said.childNodes);
    texts.push(text.slice(0, 1000));
  }
  return texts;
})()
