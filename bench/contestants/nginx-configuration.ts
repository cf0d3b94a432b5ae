// Configurations of nginx. Pure, except that the stream module is looked for where distributions put it.

import { existsSync } from "node:fs";

/** The whole file; `blocks` are what it shall do. */
export function nginxConfiguration(folder: string, blocks: string): string {
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log crit;
worker_rlimit_nofile 16384;
${blocks.includes("\nstream {") ? `load_module ${streamModule() ?? "modules/ngx_stream_module.so"};` : ""}
events { worker_connections 8192; }
${blocks}
`;
}

/** What every HTTP block of ours begins with: nothing is logged, and connections are never closed for their age. */
export function httpBasics(folder: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(" ");
  return `access_log off; ${temporary}
  keepalive_requests 100000000; keepalive_timeout 600s; tcp_nodelay on;
  client_max_body_size 0;`;
}

/** One hop: `port` goes to `next`. WebSockets pass; requests say from whom they are, as they do behind a tunnel. */
export function httpProxy({
  port,
  next,
  folder,
}: {
  readonly port: number;
  readonly next: number;
  readonly folder: string;
}): string {
  return `
http {
  ${httpBasics(folder)}
  map $http_upgrade $connection_field { default upgrade; '' ''; }
  upstream next { server 127.0.0.1:${next}; keepalive 512; keepalive_requests 100000000; keepalive_timeout 600s; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://next;
      proxy_http_version 1.1;
      proxy_set_header Connection $connection_field;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
      proxy_buffer_size 16k;
      proxy_buffers 8 64k;
      proxy_busy_buffers_size 128k;
      client_body_buffer_size 64k;
      proxy_read_timeout 600s;
    }
  }
}
`;
}

/** One hop for bytes that nobody looks at. */
export function streamProxy({ port, next }: { readonly port: number; readonly next: number }): string {
  return `
stream {
  server {
    listen 127.0.0.1:${port} backlog=4096;
    proxy_pass 127.0.0.1:${next};
    proxy_buffer_size 64k;
    proxy_timeout 600s;
  }
}
`;
}

/** Where the stream module lies; undefined if it is not installed. */
export function streamModule(): string | undefined {
  return ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/lib/nginx"]
    .map((folder) => `${folder}/ngx_stream_module.so`)
    .find((file) => existsSync(file));
}
