import assert from "node:assert/strict";
import { test } from "node:test";
import { Scope } from "../../src/lifecycle/scope.ts";

function recordingScope(): { scope: Scope; errors: unknown[] } {
  const errors: unknown[] = [];
  return { scope: new Scope((error) => errors.push(error)), errors };
}

test("releases in reverse order, each once, with the first reason", () => {
  const { scope } = recordingScope();
  const released: string[] = [];
  for (const name of ["a", "b", "c"]) scope.own(name, (value, reason) => void released.push(`${value}:${reason}`));
  scope.close("done");
  scope.close("again");
  assert.deepEqual(released, ["c:done", "b:done", "a:done"]);
  assert.equal(scope.size, 0);
});

test("releases at once what is given to a closed scope", () => {
  const { scope } = recordingScope();
  scope.close("shutdown");
  let seen = "";
  scope.own("late", (value, reason) => void (seen = `${value}:${reason}`));
  assert.equal(seen, "late:shutdown");
  assert.equal(scope.size, 0);
});

test("a release that throws does not keep the others from running", () => {
  const { scope, errors } = recordingScope();
  const released: string[] = [];
  scope.own("a", (value) => void released.push(value));
  scope.own("b", () => {
    throw new Error("stuck");
  });
  scope.own("c", (value) => void released.push(value));
  scope.close("done");
  assert.deepEqual(released, ["c", "a"]);
  assert.equal(errors.length, 1);
});

test("releases and disowns by identity, the latest first", () => {
  const { scope } = recordingScope();
  const released: string[] = [];
  const value = {};
  scope.own(value, () => void released.push("first"));
  scope.own(value, () => void released.push("second"));
  scope.release(value, "early");
  assert.deepEqual(released, ["second"]);
  scope.disown(value);
  scope.release(value, "early");
  scope.close("done");
  assert.deepEqual(released, ["second"]);
});

test("what is owned while the scope closes is released with it", () => {
  const { scope } = recordingScope();
  const released: string[] = [];
  scope.own("outer", () => {
    scope.own("inner", (value) => void released.push(value));
  });
  scope.close("done");
  assert.deepEqual(released, ["inner"]);
});
