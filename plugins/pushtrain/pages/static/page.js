// Keeps the page up to date while something trains, and follows Airflow's light or dark theme.
"use strict";

const EVERY_MS = 2000;

function followTheme() {
  let dark = matchMedia("(prefers-color-scheme: dark)").matches;
  try {
    const classes = parent.document.documentElement.classList;
    if (parent !== window) dark = classes.contains("dark");
  } catch (_) { /* not inside Airflow's page */ }
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

// The page lies in a frame: a link into Airflow's own UI has to leave it.
function leaveFrame(event) {
  const link = event.target.closest("a.airflow");
  if (!link || parent === window) return;
  event.preventDefault();
  const outer = parent.document.createElement("a");
  outer.href = link.href;
  parent.document.body.append(outer);
  outer.click();
  outer.remove();
}

async function refresh(live) {
  if (document.hidden || live.hasAttribute("data-done")) return;
  const address = new URL(location.href);
  address.searchParams.set("fragment", "true");
  let answer;
  try {
    answer = await fetch(address, { headers: { Accept: "text/html" } });
  } catch (_) {
    live.dataset.stale = "no answer";
    return;
  }
  if (!answer.ok) { live.dataset.stale = `answer ${answer.status}`; return; }
  delete live.dataset.stale;
  const text = await answer.text();
  if (text === live.dataset.last) return;
  live.dataset.last = text;
  // what a person has opened, and what has the focus, stays
  const keyOf = (one) => `${one.closest("[id]")?.id} ${one.querySelector("summary")?.textContent}`;
  const open = new Map([...live.querySelectorAll("details")].map((one) => [keyOf(one), one.open]));
  const focused = live.contains(document.activeElement)
    ? [...live.querySelectorAll("a, [tabindex], summary")].indexOf(document.activeElement) : -1;
  live.innerHTML = text;
  live.querySelectorAll("details").forEach((one) => {
    if (open.has(keyOf(one))) one.open = open.get(keyOf(one));
  });
  if (focused >= 0) live.querySelectorAll("a, [tabindex], summary")[focused]?.focus();
}

followTheme();
document.addEventListener("click", leaveFrame);
try {
  new MutationObserver(followTheme).observe(
    parent.document.documentElement, { attributes: true, attributeFilter: ["class"] });
} catch (_) { /* not inside Airflow's page */ }
for (const live of document.querySelectorAll("[data-live]")) {
  setInterval(() => refresh(live), EVERY_MS);
}
