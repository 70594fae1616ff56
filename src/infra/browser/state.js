// How far a page is. CLASS stands for the class of the element that a picture is wanted of.
(() => {
  const all = selector => [...document.querySelectorAll(selector)];
  const text = element => (element?.innerText ?? '').replace(/\s+/g, ' ').trim();
  const visible = element => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0;
  };
  const name = element => {
    const holder = element.closest('.dashboard-component-chart-holder, .chart-slice, [data-test-chart-name]');
    return (
      element.closest('[data-test-chart-name]')?.getAttribute('data-test-chart-name') ??
      holder?.querySelector('[data-test-chart-name]')?.getAttribute('data-test-chart-name') ??
      text(holder?.querySelector('.header-title, [data-test="editable-title"]'))
    );
  };
  const charts = all('.chart-container');
  const places = ['.chart-container [role="alert"]', '.chart-container .ant-alert-error', '.missing-chart-container'];
  // a page of one chart shows its failure beside the place of the chart, which is empty then, or instead of it
  const single = 'CLASS' === 'chart-container';
  const failures = all(single ? '[role="alert"], .ant-alert-error' : places.join());
  const element =
    document.querySelector('.CLASS') ?? (single && failures.some(visible) ? document.querySelector('#app') : null);
  const problems = failures
    .filter(failure => !failures.some(other => other !== failure && other.contains(failure)))
    .map(failure => [name(failure), text(failure)].filter(Boolean).join(': '))
    .filter(Boolean);
  const loading = all('.loading').filter(visible);
  // between its data and its picture a chart is empty, while its part of the frontend is loaded
  const empty = chart => !chart.querySelector('canvas, svg, img, iframe, table') && !text(chart);
  const seen = window.__seen;
  const busy = seen && (seen.wanted.size > 0 || seen.beats < 10 || all('.chart-container .slice_container').some(empty));
  const box = element?.getBoundingClientRect();
  return {
    protocol: location.protocol,
    complete: document.readyState === 'complete',
    status: performance.getEntriesByType('navigation')[0]?.responseStatus ?? 0,
    path: location.pathname,
    title: document.title,
    text: text(document.body).slice(0, 300),
    located: !!element,
    charts: charts.length,
    visible: charts.length
      ? charts.every(visible) || problems.length > 0
      : all('.grid-container').some(visible) || (single && failures.some(visible)),
    loading: loading.length,
    slow: [...new Set(loading.map(name))].filter(Boolean).slice(0, 5),
    waiting: seen?.waiting ?? 0,
    frames: seen?.frames ?? 0,
    still: busy ? 0 : performance.now() - (seen?.drawn ?? 0),
    problems: [...new Set(problems)].slice(0, 50),
    box: box ? [box.left + scrollX, box.top + scrollY, box.width, box.height] : null,
    height: Math.max(document.documentElement.scrollHeight, document.body?.scrollHeight ?? 0),
  };
})()
