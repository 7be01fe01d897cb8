/** Certificates for servers under test. */

import { runOrThrow } from "./system.ts";

const SCRIPT = `
  set -e
  key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
  openssl req -x509 $key -subj /CN=authority -days 2 -keyout root.key -out root.crt
  openssl req $key -subj /CN=server -keyout tls.key -out tls.csr
  echo subjectAltName=IP:127.0.0.1 > names
  openssl x509 -req -in tls.csr -CA root.crt -CAkey root.key -CAcreateserial -days 2 \\
    -extfile names -out tls.crt`;

/**
 * Makes an authority in a folder (`root.crt`), and a certificate that it signed for 127.0.0.1
 * (`tls.crt`, `tls.key`).
 *
 * @param user whose files they are to be
 */
export async function makeCertificates(
  folder: string,
  user?: { uid: number; gid: number },
): Promise<void> {
  await runOrThrow("sh", ["-c", SCRIPT], { cwd: folder, ...user });
}
