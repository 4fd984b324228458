// Registers, logs in, creates items and pages through them.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Item = components["schemas"]["ItemRead"];

export async function tour(baseUrl: string, email: string, password: string): Promise<Item[]> {
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

  for (const title of ["first", "second", "third"]) {
    await client.POST("/api/v1/items", { body: { title } });
  }
  const items: Item[] = [];
  let cursor: string | null | undefined;
  do {
    const query = cursor ? { limit: 2, cursor } : { limit: 2 };
    const { data: page } = await client.GET("/api/v1/items", { params: { query } });
    items.push(...(page?.items ?? []));
    cursor = page?.next_cursor;
  } while (cursor);
  return items;
}
