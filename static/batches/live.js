// Progress as it goes on: over a WebSocket, or where that does not pass, by asking. When nothing that
// is shown is active any more, or nobody looks, nothing is asked.
const EVERY = 2_000; // milliseconds between two questions, and at most between two new lists of trades
const TOAST = 15_000;
const AGAIN = 4000; // the server closed a connection that had been open for long
const WORDS = {
    success: "all trades are executed",
    partial_success: "some trades are executed, the rest failed",
    failed: "no trade is executed",
    cancelled: "it was cancelled",
};
const live = document.getElementById("live");
let socket, timer;
let isRefused = false; // WebSockets do not pass here

const active = () => [...document.querySelectorAll("[data-batch][data-active]")];
const query = () => new URLSearchParams([...new Set(active().map((one) => one.dataset.number))].map((one) => ["batch", one]));
const number = (value) => value.toLocaleString("en-US");

// --- How the news comes

let asked = "";
const going = new Set(); // the batches that were seen active here, and whose end was not told

function watch() {
    tellEnds();
    const now = document.hidden ? "" : query().toString();
    if (now === asked) return;
    asked = now;
    stop();
    if (now) (isRefused ? poll : connect)();
}

function stop() {
    clearTimeout(timer);
    if (socket) socket.onclose = socket.onmessage = null;
    socket?.close();
    socket = undefined;
}

function connect() {
    const address = new URL(live.dataset.socket, location);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    address.search = asked;
    try {
        socket = new WebSocket(address);
    } catch {
        return giveUp();
    }
    socket.onmessage = ({ data }) => JSON.parse(data).batches.forEach(show);
    socket.onclose = ({ code }) => {
        socket = undefined;
        if (code === 1000) return; // nothing is active
        if (code === AGAIN) return connect();
        giveUp();
    };
}

function giveUp() {
    isRefused = true;
    poll();
}

async function poll() {
    const ours = asked;
    let found;
    try {
        const answer = await fetch(`${live.dataset.progress}?${ours}`, { headers: { Accept: "application/json" } });
        if (answer.redirected || answer.status === 403) return location.reload(); // to log in again
        if (answer.ok) found = (await answer.json()).batches;
    } catch {} // the server may be starting again; the next time will tell
    if (ours !== asked) return;
    found?.forEach(show);
    if (!found || found.some((one) => one.is_active)) timer = setTimeout(poll, EVERY);
}

// --- What becomes of it

function show(progress) {
    const shown = document.querySelectorAll(`[data-batch="${CSS.escape(progress.batch_id)}"]`);
    let isNews = false;
    for (const part of shown) {
        isNews ||= progress.status !== part.dataset.status;
        if (!progress.is_active) delete part.dataset.active;
        part.dataset.status = progress.status;
        fill(part, progress);
    }
    tellEnds();
    if (isNews) renew("[data-live]");
    else if (shown.length) renewSoon();
}

function fill(part, { total_trades: total, processed_trades: processed, failed_trades: failed, progress_percentage: percent, is_active }) {
    const bar = part.querySelector("[role=progressbar]");
    bar.setAttribute("aria-valuenow", percent);
    const widths = { "tl-success": processed - failed, "tl-failed": failed };
    for (const [name, trades] of Object.entries(widths)) {
        const piece = bar.querySelector(`.${name}`);
        piece.hidden = !trades;
        piece.style.width = `${(100 * trades) / Math.max(1, total)}%`;
    }
    bar.querySelector(".tl-skipped").hidden = true; // with those that are done, until the end
    const [share, counts] = part.querySelectorAll(".tl-counts > *");
    share.textContent = `${percent} %`;
    counts.textContent = `${number(processed)} of ${number(total)}${failed ? `, ${number(failed)} failed` : ""}`;
    if (!is_active) return; // its page is renewed at once
    for (const one of part.parentElement.querySelectorAll("[data-count]")) {
        one.textContent = number({ executed: processed - failed, failed, left: total - processed }[one.dataset.count]);
    }
}

// Whether the news told of the end, or a part that was renewed meanwhile.
function tellEnds() {
    for (const { dataset } of document.querySelectorAll("[data-batch]")) {
        if ("active" in dataset) going.add(dataset.batch);
        else if (going.delete(dataset.batch) && dataset.status in WORDS) toast(dataset.name, dataset.status);
    }
}

function toast(name, status) {
    const box = document.createElement("p");
    box.className = `tl-toast tl-is-${status}`;
    const words = document.createElement("span");
    words.textContent = `${name} has ended: ${WORDS[status]}.`;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "tl-button tl-small";
    close.textContent = "Close";
    close.addEventListener("click", () => box.remove());
    box.append(words, close);
    live.append(box);
    setTimeout(() => box.matches(":hover, :focus-within") || box.remove(), TOAST);
}

const renew = (parts) => document.querySelectorAll(parts).forEach((part) => htmx.trigger(part, "renew"));
let isSoon = false;

// The list of trades follows, not as often as the bar moves.
function renewSoon() {
    if (isSoon) return;
    isSoon = true;
    setTimeout(() => {
        isSoon = false;
        if (active().length) renew("[data-follows]");
    }, EVERY);
}

// A part that was renewed may show other batches.
document.addEventListener("htmx:afterSettle", watch);
document.addEventListener("visibilitychange", watch);
watch();
