// What the faults and the test that sees them must agree on.

/** The name of a tunnel that no name leads to. */
export const ghostName = "ghost";

/** The name of the tunnel with which connections begin to stay half open. */
export const halfOpenName = "half-open";

/** The limit of open descriptors of the faulty server, and how many it takes for nothing. */
export const faultyDescriptors: { readonly limit: number; readonly taken: number } = { limit: 400, taken: 290 };
