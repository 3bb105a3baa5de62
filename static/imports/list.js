// The list of imports at work: rows open and close, and the list is kept up to date without losing
// what is open, or where the keyboard is. Without this script every link is a page of its own.
// Milliseconds from one look at the server to the next; where work goes on, it comes sooner.
const EVERY = 10_000;
const SOON = 2_000;
const byId = (id) => document.getElementById(id);

// --- What opens under a row. Which rows are open, and at which tab, stands in the address.

const inAddress = () => new URLSearchParams(location.search).getAll("open").map((one) => one.split("."));

function remember(number, tab) {
    const address = new URL(location);
    const others = inAddress().filter(([other]) => other !== number);
    address.searchParams.delete("open");
    for (const one of tab ? [...others, [number, tab]] : others) address.searchParams.append("open", one.join("."));
    history.replaceState(history.state, "", address);
}

function toggle(number, tab) {
    const more = byId(`more-${number}`);
    if (!more || (tab && more.querySelector(".tl-opened").dataset.tab !== tab)) return open(number, tab ?? "rows");
    more.remove();
    byId(`more-of-${number}`).setAttribute("aria-expanded", "false");
    remember(number);
}

function open(number, tab) {
    const row = byId(`import-${number}`);
    if (!row) return;
    const more = byId(`more-${number}`) ?? rowBelow(row, number);
    const address = `${byId("filters").getAttribute("action")}${number}/${tab}/`;
    remember(number, tab);
    htmx.ajax("GET", address, { target: more.querySelector(".tl-opened"), swap: "outerHTML" });
}

function rowBelow(row, number) {
    const more = document.createElement("tr");
    more.id = `more-${number}`;
    more.className = "tl-more";
    const cell = more.insertCell();
    cell.colSpan = row.cells.length;
    const part = document.createElement("div");
    part.className = "tl-opened";
    part.textContent = "Loading…";
    cell.append(part);
    row.after(more);
    byId(`more-of-${number}`).setAttribute("aria-expanded", "true");
    return more;
}

const reopen = () => inAddress().forEach(([number, tab]) => tab && open(number, tab));

document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target.closest("a[data-import]");
    const row = event.target.closest("tr.tl-import");
    if (link) {
        event.preventDefault();
        toggle(link.dataset.import, link.dataset.tab);
    } else if (row && !event.target.closest("a, button, details") && !String(getSelection())) {
        toggle(row.id.replace("import-", ""));
    }
});
document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !event.target.matches("a[data-import]")) return;
    event.preventDefault();
    event.target.click();
});
document.addEventListener("htmx:load", ({ detail: { elt } }) => {
    if (elt.matches(".tl-opened[data-import]")) remember(elt.dataset.import, elt.dataset.tab);
    if (elt.id === "imports") reopen();
});
// Filters that say nothing do not stand in the address.
document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.elt.id !== "filters") return;
    for (const [name, value] of [...detail.formData]) if (!value) detail.formData.delete(name);
});

// --- What could not be loaded is said where it was to stand, and what is there stays.

function sayTrouble(place, words, again) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "tl-button tl-small";
    button.textContent = "Try again";
    button.addEventListener("click", again);
    const text = document.createElement("p");
    text.textContent = words;
    place.replaceChildren(text, button);
}

function sayNotLoaded({ detail: { target, requestConfig, xhr } }) {
    const why = xhr?.status ? `the server answered ${xhr.status}` : "the server did not answer";
    const { elt, path } = requestConfig;
    if (target.matches(".tl-opened")) {
        const [number, tab] = path.split("?")[0].split("/").slice(-3);
        sayTrouble(target, `Could not load this: ${why}.`, () => open(number, tab));
    } else {
        const again = () => (elt.id === "filters" ? htmx.trigger(elt, "submit") : elt.click());
        sayTrouble(byId("trouble"), `Could not load this: ${why}.`, again);
    }
}
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, sayNotLoaded);
}
document.addEventListener("htmx:afterOnLoad", ({ detail: { target, successful } }) => {
    if (successful && !target.matches(".tl-opened")) byId("trouble").replaceChildren();
});

// --- A menu closes when the user goes elsewhere: an open one would keep its row from being renewed.

function closeMenus(except) {
    for (const menu of document.querySelectorAll(".tl-menu[open]")) {
        if (menu !== except) menu.open = false;
    }
}
document.addEventListener("click", ({ target }) => closeMenus(target.closest(".tl-menu")));
document.addEventListener("keydown", ({ key, target }) => {
    if (key !== "Escape") return;
    target.closest(".tl-menu")?.querySelector("summary").focus();
    closeMenus();
});

// --- Keeping up to date

let lookedAt = Date.now();

export async function refresh() {
    lookedAt = Date.now();
    const address = location.href;
    let page;
    try {
        const answer = await fetch(address, { headers: { Accept: "text/html" } });
        // Who has been logged out meanwhile is led to the page for logging in.
        if (answer.redirected) return location.reload();
        if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
        page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
        const words = "Could not load the imports: the list is not up to date.";
        return sayTrouble(byId("trouble"), words, refresh);
    }
    byId("trouble").replaceChildren();
    // Meanwhile the user may have gone elsewhere in the list.
    if (location.href === address && !document.querySelector(".htmx-request")) renew(page);
}

function renew(page) {
    document.dispatchEvent(new CustomEvent("imports:loaded", { detail: page }));
    const focused = document.activeElement;
    const [rows, fresh] = [document, page].map((one) => one.querySelector("#imports > table > tbody"));
    if (rows && fresh) {
        renewRows(rows, fresh);
        renewPart(document.querySelector("#imports > footer"), page.querySelector("#imports > footer"));
    } else {
        renewPart(byId("imports"), page.getElementById("imports"));
    }
    renewPart(byId("statistics"), page.getElementById("statistics"));
    if (focused.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
}

function renewRows(rows, fresh) {
    for (const row of [...rows.rows]) {
        if (!fresh.querySelector(`#${row.id.replace("more-", "import-")}`)) row.remove();
    }
    let place = rows.firstElementChild;
    for (const row of [...fresh.rows]) {
        const known = byId(row.id);
        if (known) renewCells(known, row);
        const here = known ?? row;
        if (here === place) place = place.nextElementSibling;
        else rows.insertBefore(here, place);
        if (!known) htmx.process(row);
        const more = byId(row.id.replace("import-", "more-"));
        if (more && more === place) place = place.nextElementSibling;
        else if (more) here.after(more);
    }
}

function renewCells(row, fresh) {
    row.className = fresh.className;
    [...row.cells].forEach((cell, number) => {
        const expander = fresh.cells[number].querySelector("[aria-expanded]");
        if (expander) expander.ariaExpanded = byId(expander.id).ariaExpanded;
        renewPart(cell, fresh.cells[number]);
    });
}

// Leaves alone what has not changed, where the keyboard is, and what the user has opened.
function renewPart(part, fresh) {
    const isInUse = part.contains(document.activeElement) || part.querySelector("details[open]");
    if (isInUse || part.innerHTML === fresh.innerHTML) return;
    part.replaceChildren(...fresh.childNodes);
    htmx.process(part);
}

document.addEventListener("DOMContentLoaded", () => {
    reopen();
    setInterval(() => {
        const isDue = Date.now() - lookedAt >= EVERY || document.querySelector("#imports .tl-is-active");
        if (isDue && !document.hidden) refresh();
    }, SOON);
});
