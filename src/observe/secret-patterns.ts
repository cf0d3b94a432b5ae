// What a secret looks like when nobody says that it is one: names of fields that hold secrets, and forms of tokens.
// Rather too much is removed than too little; identifiers that people need (trace ids, names, paths) are spared. Pure.
// No pattern backtracks further than its own bounded parts.

/** What stands where a secret was. */
export const redacted = "[redacted]";

/** Words that say of a field that its value is a secret, wherever in its name they stand. */
const words =
  "authorization|cookie|token|secret|passw(?:or)?d|passphrase|api[-_]?key|access[-_]?key|private[-_]?key|resume[-_]?key|credential|bearer|session[-_]?id|c[sx]rf|xsrf|jwt|hmac|\\b(?:sid|otp|pwd|pin)\\b";
const secretName = new RegExp(`(?:${words})`, "iu");
/** The rest of a name behind the word. */
const nameRest = "[\\w.-]{0,64}";
const quoted = `(\\\\?)(["'])(?:(?!\\2\\3)(?:\\\\.|[^\\\\]))*\\2\\3`;

/** `"name": "value"` and `"name", "value"`, also with the quotes escaped inside another string. */
const quotedField = new RegExp(`((?:${words})${nameRest}\\\\?["']\\s{0,4}[:=,]\\s{0,4})${quoted}`, "giu");
/** Lists and objects behind a secret name. */
const nestedField = new RegExp(
  `((?:${words})${nameRest}\\\\?["']?\\s{0,4}[:=]\\s{0,4})(?:\\[[^\\]]{0,2000}\\]?|\\{[^}]{0,2000}\\}?)`,
  "giu",
);
/** `name=value`, `name: value` and `name value` with a value that is long enough to be one. */
const assignment = new RegExp(
  `((?:${words})${nameRest}["']?(?:\\s{0,4}[:=]\\s{0,4}|\\s{1,4}(?=\\S{16})))["']?[^\\s&"',;}\\])]+["']?`,
  "giu",
);
/** Header lines: everything to the end of the line is the value. */
const headerLine =
  /((?:^|[\s"'{,;([])(?:proxy-)?(?:authorization|set-cookie|cookie)["']?\s{0,4}[:=]\s{0,4})[^\r\n]+/giu;
const privateKey = /-----BEGIN [A-Z0-9 ]{0,40}-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}-----|$)/gu;
const scheme = /\b(bearer|basic|digest|negotiate)\s{1,4}[^\s"',;]+/giu;
const userInfo = /(:\/\/)[^\s/@"'<>]{1,512}@/gu;
const queryValue = /([?&][^=&\s"'#]{1,128}=)[^&\s"'#]+/gu;
const tokenForms =
  /\bcsn_[\w-]{4,}|\beyJ[\w-]{8,4000}\.[\w-]+(?:\.[\w-]*)?|\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|sk-|[rsp]k_(?:live|test)_|npm_|AIza|ya29\.)[\w.-]{8,}|\bA(?:KI|SI)A[0-9A-Z]{16}\b/gu;
/** Long runs that mix cases and digits, padded base64, long hexadecimal: keys that nothing else gives away. 32 hex digits are a trace id. */
const mixedRun = /(?<![\w+-])(?=[\w+-]*[a-z])(?=[\w+-]*[A-Z])(?=[\w+-]*\d)[\w+-]{28,}/gu;
const padded = /(?<![\w+/=-])[\w+/-]{22,}={1,2}(?![\w=])/gu;
const longHex = /(?<!\w)[0-9a-f]{40,}(?!\w)/giu;

/** Whether a field of this name is to be taken for a secret. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** `text` without what looks like a secret. */
export function withoutSecrets(text: string): string {
  return text
    .replaceAll(privateKey, redacted)
    .replaceAll(tokenForms, redacted)
    .replaceAll(userInfo, `$1${redacted}@`)
    .replaceAll(quotedField, `$1$2$3${redacted}$2$3`)
    .replaceAll(nestedField, `$1${redacted}`)
    .replaceAll(headerLine, `$1${redacted}`)
    .replaceAll(scheme, `$1 ${redacted}`)
    .replaceAll(queryValue, `$1${redacted}`)
    .replaceAll(assignment, `$1${redacted}`)
    .replaceAll(padded, redacted)
    .replaceAll(longHex, redacted)
    .replaceAll(mixedRun, redacted);
}
