// Registers, logs in, changes the account and lists its sessions.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Session = components["schemas"]["SessionRead"];

export async function tour(baseUrl: string, email: string, password: string): Promise<Session[]> {
  const client = createClient<paths>({ baseUrl });
  await client.POST("/api/v1/users", { body: { email, password } });

  const { data: token, error } = await client.POST("/api/v1/auth/token", {
    body: { grant_type: "password", username: email, password },
    bodySerializer: (form) => new URLSearchParams(form as Record<string, string>),
  });
  if (token === undefined) {
    throw new Error(`${error.code}: ${error.detail}`);
  }
  client.use({
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${token.access_token}`);
      return request;
    },
  });

  await client.PATCH("/api/v1/users/me", { body: { full_name: "Ada Lovelace" } });
  const { data: sessions } = await client.GET("/api/v1/auth/sessions");
  return sessions?.items ?? [];
}
