// A certificate for tests, good for localhost, tunnel.test, 127.0.0.1 and ::1 until the year 2126, and its key, which is no
// secret: made once by `openssl req -x509 -newkey ec`, trusted by nobody who is not told to.

/** PEM; its own authority. */
export const testCertificate = `-----BEGIN CERTIFICATE-----
MIIBwzCCAWigAwIBAgIUGAmwP8wtMmwiE6Fn+zqPooV8sOEwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMY2Fpc3NvbiB0ZXN0MCAXDTI2MTEyMjE5MTkyOFoYDzIxMjYx
MDI5MTkxOTI4WjAXMRUwEwYDVQQDDAxjYWlzc29uIHRlc3QwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAReGvl5zzaWQT3lXJCoQ4Hix3ExFzuLkY9AU69/OUJDs/V8
2elduHn5/i40ZEBk/A5Lzyb1CbqlE1jWyxoKnvCHo4GPMIGMMB0GA1UdDgQWBBR/
VebhzNIFVYYWwrWniaLOa2VDZjAfBgNVHSMEGDAWgBR/VebhzNIFVYYWwrWniaLO
a2VDZjA5BgNVHREEMjAwgglsb2NhbGhvc3SCC3R1bm5lbC50ZXN0hwR/AAABhxAA
AAAAAAAAAAAAAAAAAAABMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAw
RgIhAOLEPgnPhKl8HsKfIUhx7P3z2/uag4tpxyDoqEngwCs6AiEA+rJZ8yvN5roi
FIqRiDYK8o1SAWHw8TMQ/y18KxT9zeo=
-----END CERTIFICATE-----
`;

/** PEM. */
export const testKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgJ5NPxg/zM6SFyGy/
DAnwQqvX6eYLaqhTrylfURSrlhmhRANCAAReGvl5zzaWQT3lXJCoQ4Hix3ExFzuL
kY9AU69/OUJDs/V82elduHn5/i40ZEBk/A5Lzyb1CbqlE1jWyxoKnvCH
-----END PRIVATE KEY-----
`;
