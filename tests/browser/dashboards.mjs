// Dialogs of a dashboard in edit mode.
import { pause, settled } from "./person.mjs";

const modal = ".ant-modal:visible";

// Opens one from the menu.
export async function openDialog(page, item) {
  await page.click("[aria-label='Menu actions trigger']");
  await page.click(`.ant-dropdown-menu-item:visible:has-text('${item}')`);
  await page.waitForSelector(modal);
}

// Opens the properties. The dialog asks for the dashboard again, and forgets what was typed before the answer has come.
export async function openProperties(page) {
  const asked = page.waitForResponse(
    (answer) => answer.request().method() === "GET" && /api\/v1\/dashboard\/\d+$/.test(answer.url()),
  );
  await openDialog(page, "Edit properties");
  await (await asked).finished();
  await page.waitForSelector(`${modal} div.ant-select[aria-label='Owners'] .ant-select-selection-item`);
}

// Saves what is edited, once no dialog is open; answers the dashboard as it is stored then.
export async function saveDashboard(page, slug) {
  await page.waitForSelector(modal, { state: "hidden" });
  const saved = page.waitForResponse(
    (answer) => answer.request().method() === "PUT" && /api\/v1\/dashboard\/\d+$/.test(answer.url()),
  );
  await page.click("button:has-text('Save'):enabled");
  const answer = await saved;
  if (!answer.ok()) throw new Error(`${answer.status()} ${await answer.text()}`);
  await page.waitForSelector("button:has-text('Edit dashboard')");
  return page.evaluate(async (slug) => (await (await fetch(`/api/v1/dashboard/${slug}`)).json()).result, slug);
}

// Drags a layout element into the grid until `effect` can be read there: a drag begun while the page still moves
// lands nowhere. Between two tries the page gets time, and an effect that comes late counts.
export async function dragIntoGrid(page, element, effect) {
  const source = page.locator(".dragdroppable", { hasText: element }).last();
  const grid = page.locator(".grid-content").first();
  const landed = page.locator(`text=${effect}`).first();
  for (let tries = 0; tries < 10; tries += 1) {
    await settled(page);
    await source.scrollIntoViewIfNeeded();
    const from = await source.boundingBox();
    const to = await grid.boundingBox();
    const target = { x: to.x + to.width / 2, y: to.y + 8 };
    await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
    await page.mouse.down();
    // the page decides where a drop lands while the pointer moves over it
    await page.mouse.move(target.x, target.y, { steps: 15 });
    await pause(page, 200);
    await page.mouse.move(target.x, target.y + 4, { steps: 4 });
    await page.mouse.up();
    if (await landed.waitFor({ timeout: 10_000 }).then(() => true, () => false)) return;
  }
  throw new Error(`${element} did not land in the grid after 10 drags`);
}
