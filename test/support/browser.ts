// A real Chromium for tests of pages, headless, with everything that a page must not do written down.

import type { Browser, BrowserContext, CDPSession, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { findProgram } from "./debian.ts";

/** What a page holds after a collection. */
export interface PageWeight {
  readonly heapBytes: number;
  readonly nodes: number;
  readonly listeners: number;
}

/** One browser with one profile. */
export class TestBrowser {
  readonly context: BrowserContext;
  /** Errors, warnings and violations of the policy that pages told of. */
  readonly complaints: string[] = [];
  readonly #browser: Browser;

  private constructor(browser: Browser, context: BrowserContext) {
    this.#browser = browser;
    this.context = context;
  }

  /** Starts it. `hosts` maps names to 127.0.0.1, as a resolver under an attacker's control would. */
  static async start(options: { readonly hosts?: readonly string[] } = {}): Promise<TestBrowser> {
    const rules = (options.hosts ?? []).map((host) => `MAP ${host} 127.0.0.1`).join(",");
    const browser = await chromium.launch({
      executablePath: findProgram("chromium") ?? "chromium",
      args: ["--no-sandbox", "--disable-dev-shm-usage", ...(rules === "" ? [] : [`--host-resolver-rules=${rules}`])],
    });
    return new TestBrowser(browser, await browser.newContext({ viewport: { width: 1600, height: 1000 } }));
  }

  /** Opens an empty page whose complaints are kept. */
  async page(): Promise<Page> {
    const page = await this.context.newPage();
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(error.message));
    return page;
  }

  /** What a page holds. Collects its garbage first. */
  async weigh(page: Page): Promise<PageWeight> {
    const session: CDPSession = await this.context.newCDPSession(page);
    await session.send("HeapProfiler.enable");
    for (let round = 0; round < 3; round += 1) await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    const { nodes, jsEventListeners } = await session.send("Memory.getDOMCounters");
    await session.detach();
    return { heapBytes: usedSize, nodes, listeners: jsEventListeners };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}
