// What the pages do in the browser, and could do without: local times, copy buttons, second thoughts.
"use strict";

const DAY = { month: "short", day: "numeric" };
const MOMENT = { ...DAY, hour: "numeric", minute: "2-digit" };

// Times arrive in UTC and are shown in the reader's zone; the UTC stays in the title. A date has no zone.
function localise(element) {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  const isTime = element.dateTime.includes("T");
  const form = { ...(isTime && element.dataset.only !== "day" ? MOMENT : DAY) };
  if (!isTime) form.timeZone = "UTC";
  if (moment.getFullYear() !== new Date().getFullYear()) form.year = "numeric";
  element.textContent = moment.toLocaleString(undefined, form);
}

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  const before = button.textContent;
  button.textContent = "Copied";
  document.getElementById("said").textContent = "Copied to the clipboard";
  setTimeout(() => { button.textContent = before; }, 1600);
}

document.querySelectorAll("time[datetime]").forEach(localise);

document.querySelectorAll("button[data-copy]").forEach((button) => {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", () => copy(button));
});

document.querySelectorAll("form[data-ask]").forEach((form) => {
  form.addEventListener("submit", (event) => {
    if (!window.confirm(form.dataset.ask)) event.preventDefault();
  });
});

// A choice made is a search asked for.
document.querySelectorAll(".filters select").forEach((select) => {
  select.addEventListener("change", () => select.form.requestSubmit());
});

// After a mistake one goes on at the field it was made in, however far down it stands.
document.querySelector("[aria-invalid='true']")?.focus();

// On a phone the tab one is at may lie outside of what is seen of the row.
document.querySelectorAll(".tabs [aria-current]").forEach((tab) => {
  const row = tab.closest(".tabs");
  row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
});

// An open menu closes with Escape and gives the focus back.
document.addEventListener("keydown", (event) => {
  const menu = document.querySelector(".top details[open]");
  if (event.key === "Escape" && menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
