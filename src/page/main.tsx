// Starts the live page: takes the one-time code out of the address before anything else sees it, and shows the page.

import { render } from "preact";
import { App } from "./app.tsx";
import { PageState } from "./page-state.ts";

const { hash, pathname } = location;
if (hash !== "") history.replaceState(null, "", pathname);
const state = new PageState();
const root = document.getElementById("page");
if (root) render(<App state={state} />, root);
void state.start(hash);
