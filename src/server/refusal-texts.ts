// What a client is told when a tunnel is refused: which of its wishes it was, and what to do. Pure.

import type { RegisterRefusal } from "../wire/control.ts";

const texts: Readonly<Record<RegisterRefusal, string>> = {
  name_taken: "another client has this name; choose another name, or none for a random one",
  name_invalid: "a name is 1 to 63 of a-z, 0-9 and hyphens, not at the edges, and does not start with xn--",
  name_reserved: "this name is reserved; choose another",
  not_allowed: "this name is not in the scope of the token",
  port_taken: "this port is in use; choose another, or none for a free one",
  port_invalid: "this port is outside of the server's range",
  tcp_off: "this server offers no TCP tunnels; its operator has to start it with --tcp-ports A-B",
  tls_off: "this server does not listen for TLS; its operator has to start it with --listen-tls HOST:PORT",
  too_many: "this session has as many tunnels as the server allows",
  shutting_down: "the server is shutting down",
};

/** What is told where the server has no more ports for anybody. */
export const portsFullText = "this server has as many TCP ports open as it may; try again later";

/** The text for people. `port`: what was asked for, if it was the port that was refused. */
export function refusalText(refusal: RegisterRefusal, port: number | "any" | undefined): string {
  if (port === undefined) return texts[refusal];
  switch (refusal) {
    case "not_allowed":
      return port === "any"
        ? "no port of this server is in the scope of the token"
        : "this port is not in the scope of the token";
    case "port_taken":
      return port === "any" ? "no port that it may have is free" : texts.port_taken;
    default:
      return texts[refusal];
  }
}
