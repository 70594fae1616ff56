// Dialogs of a dashboard in edit mode.
const modal = ".ant-modal:visible";

// Opens one from the menu.
export async function openDialog(page, item) {
  await page.click("[aria-label='Menu actions trigger']");
  await page.click(`.ant-dropdown-menu-item:visible:has-text('${item}')`);
  await page.waitForSelector(modal);
}

// Opens the properties. The dialog asks for the dashboard again, and forgets what was typed before the answer has come.
export async function openProperties(page) {
  const asked = page.waitForResponse((answer) => answer.request().method() === "GET" && /api\/v1\/dashboard\/\d+$/.test(answer.url()));
  await openDialog(page, "Edit properties");
  await (await asked).finished();
  await page.waitForSelector(`${modal} div.ant-select[aria-label='Owners'] .ant-select-selection-item`);
}

// Saves what is edited, once no dialog is open; answers the dashboard as it is stored then.
export async function saveDashboard(page, slug) {
  await page.waitForSelector(modal, { state: "hidden" });
  const saved = page.waitForResponse((answer) => answer.request().method() === "PUT" && /api\/v1\/dashboard\/\d+$/.test(answer.url()));
  await page.click("button:has-text('Save'):enabled");
  const answer = await saved;
  if (!answer.ok()) throw new Error(`${answer.status()} ${await answer.text()}`);
  await page.waitForSelector("button:has-text('Edit dashboard')");
  return page.evaluate(async (slug) => (await (await fetch(`/api/v1/dashboard/${slug}`)).json()).result, slug);
}
