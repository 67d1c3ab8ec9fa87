// What a front end in TypeScript can rely on, as its compiler sees it; nothing of this runs. A line
// under @ts-expect-error must be refused: it fails the check as soon as it compiles.
import createClient from "openapi-fetch";
import type { components, paths } from "../build/api";

type Schemas = components["schemas"];

const api = createClient<paths>({ baseUrl: "https://qi.example" });

// In a PATCH what is absent stays, and null empties; not every field may be emptied.
export const emptied: Schemas["ProgrammePatch"] = { description: null };
export const untouched: Schemas["ProgrammePatch"] = {};
// @ts-expect-error A programme always has a title.
export const untitled: Schemas["ProgrammePatch"] = { title: null };

// In an answer every field is there, and null where there is no value.
export function described(programme: Schemas["ProgrammeRead"]): string {
  const description: string | null = programme.description;
  return description ?? programme.title;
}

// All pages of a list.
export async function titles(): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const query: { limit: number; cursor?: string } = cursor ? { limit: 200, cursor } : { limit: 200 };
    const { data, error } = await api.GET("/api/v1/programmes", { params: { query } });
    if (error) throw new Error(explained(error));
    found.push(...data.items.map(described));
    cursor = data.next_cursor;
  } while (cursor !== null);
  return found;
}

// Every refusal is a Problem, and its faults point into what was sent.
export function explained(problem: Schemas["Problem"]): string {
  const faults = (problem.errors ?? []).map((fault) => `${fault.pointer ?? ""}: ${fault.detail}`);
  return [problem.code, problem.detail ?? problem.title, ...faults].join("\n");
}

// A change names the revision that it was made from.
export async function rename(id: string, title: string, revision: string): Promise<void> {
  const { error, response } = await api.PATCH("/api/v1/programmes/{programme_id}", {
    params: { path: { programme_id: id }, header: { "If-Match": revision } },
    body: { title },
  });
  if (error) throw new Error(`${response.status} ${explained(error)}`);
  // @ts-expect-error It is required.
  await api.PATCH("/api/v1/programmes/{programme_id}", { params: { path: { programme_id: id } }, body: {} });
}

// A chart carries its signals, and each point the signals that it belongs to.
export function isSpecialCause(chart: Schemas["SpcChart"]): boolean {
  return chart.signals.length > 0 && chart.points.some((point) => point.signals.length > 0);
}
