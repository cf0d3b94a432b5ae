// The demo page's behaviour. It shows text from elsewhere only as text, never as markup.

const byId = (id) => document.getElementById(id);
const shownRequests = 12;
const shownMessages = 50;

byId("host").textContent = location.host;
byId("upload-command").textContent = `curl -T FILE ${location.origin}/upload`;

function setState(element, state, text) {
  element.dataset.state = state;
  element.textContent = text;
}

function child(parent, tag, text, className) {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  parent.append(element);
  return element;
}

function fillList(list, entries) {
  list.replaceChildren();
  for (const [name, value] of entries) {
    child(list, "dt", name);
    child(list, "dd", value);
  }
}

function readableBytes(bytes) {
  const units = ["B", "KiB", "MiB", "GiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return `${Math.round((bytes / 1024 ** power) * 10) / 10} ${units[power]}`;
}

// Requests, live

let lastNumber = 0;

function showRequest(request) {
  // A page that reconnects is told the last requests again.
  if (request.number <= lastNumber) return;
  lastNumber = request.number;
  const row = document.createElement("tr");
  child(row, "td", new Date(request.time).toLocaleTimeString());
  child(row, "td", request.method);
  child(row, "td", request.path.length > 60 ? `${request.path.slice(0, 60)}…` : request.path);
  const look = request.status === 0 || request.status >= 500 ? "bad" : request.status >= 400 ? "warn" : "good";
  child(row, "td", request.status === 0 ? "-" : String(request.status), look);
  child(row, "td", String(request.ms), "number");
  child(row, "td", request.visitor);
  const body = byId("requests");
  body.prepend(row);
  while (body.rows.length > shownRequests) body.rows[body.rows.length - 1].remove();
}

const feed = new EventSource("/events");
feed.addEventListener("open", () => setState(byId("live-state"), "open", "live"));
feed.addEventListener("error", () => setState(byId("live-state"), "closed", "reconnecting"));
feed.addEventListener("request", (event) => showRequest(JSON.parse(event.data)));

for (const button of document.querySelectorAll("button[data-request]")) {
  button.addEventListener("click", () => {
    const [method, path] = button.dataset.request.split(" ");
    void fetch(path, { method, cache: "no-store" }).catch(() => undefined);
  });
}

// WebSocket echo

const echoState = byId("echo-state");
const echoText = byId("echo-text");
const sentAt = [];
let echo;

function logMessage(text) {
  const log = byId("echo-log");
  child(log, "li", text);
  while (log.children.length > shownMessages) log.firstChild.remove();
  log.scrollTop = log.scrollHeight;
}

function openEcho() {
  echo = new WebSocket(`${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/echo`);
  setState(echoState, "", "connecting");
  sentAt.length = 0;
  echo.addEventListener("open", () => setState(echoState, "open", "open"));
  echo.addEventListener("message", (event) => {
    const ms = performance.now() - (sentAt.shift() ?? performance.now());
    logMessage(`${event.data}  (${ms.toFixed(1)} ms there and back)`);
  });
  echo.addEventListener("close", () => {
    setState(echoState, "closed", "closed; Send opens it again");
  });
}

function send(text) {
  sentAt.push(performance.now());
  echo.send(text);
}

byId("echo-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = echoText.value;
  if (echo.readyState === WebSocket.OPEN) send(text);
  else {
    if (echo.readyState === WebSocket.CLOSED) openEcho();
    echo.addEventListener("open", () => send(text), { once: true });
  }
});
openEcho();

// Upload

/** Files up to this are hashed here too, so that both ends can be compared. */
const hashedHereBytes = 64 * 1024 * 1024;

async function digestOf(file) {
  // Browsers offer the digest on https and localhost only.
  if (!crypto.subtle || file.size > hashedHereBytes) return undefined;
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function upload(file, onProgress) {
  return new Promise((resolve, reject) => {
    // fetch() tells nothing of an upload's progress.
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded / Math.max(1, event.total)));
    request.addEventListener("load", () => {
      if (request.status === 200) resolve(JSON.parse(request.responseText));
      else reject(new Error(`status ${request.status} ${request.getResponseHeader("Caisson-Error") ?? ""}`));
    });
    request.addEventListener("error", () => reject(new Error("the connection broke")));
    request.open("POST", "/upload");
    request.send(file);
  });
}

byId("upload-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const file = byId("upload-file").files[0];
  if (file) void showUpload(file, event.target.querySelector("button"));
});

async function showUpload(file, button) {
  const progress = byId("upload-progress");
  const result = byId("upload-result");
  progress.hidden = false;
  progress.value = 0;
  button.disabled = true;
  fillList(result, [["uploading", `${file.name}, ${readableBytes(file.size)}`]]);
  try {
    const answer = await upload(file, (part) => {
      progress.value = part;
    });
    const own = await digestOf(file);
    fillList(result, [
      ["arrived", `${answer.bytes} bytes in ${answer.ms} ms`],
      ["SHA-256", answer.sha256],
      ["here", own === undefined ? "not computed" : own === answer.sha256 ? "the same" : `different: ${own}`],
    ]);
  } catch (error) {
    fillList(result, [["failed", error.message]]);
  } finally {
    progress.hidden = true;
    button.disabled = false;
  }
}

// Downloads, and what the target saw

async function showFacts() {
  const response = await fetch("/request", { cache: "no-store" });
  const { headers, downloads } = await response.json();
  fillList(byId("seen"), headers);
  for (const { name, bytes, sha256 } of downloads) {
    const item = document.createElement("li");
    const link = child(item, "a", `${name}, ${bytes.toLocaleString()} bytes`);
    link.href = `/download/${name}`;
    child(item, "code", `SHA-256 ${sha256}`);
    byId("downloads").append(item);
  }
}

void showFacts();
