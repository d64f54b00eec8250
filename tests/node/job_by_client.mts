// Uploads a dataset and makes a job by a client that is typed by openapi-typescript; prints the ids as JSON.
import createClient from "openapi-fetch";
import type { components, paths } from "./headrace.d.ts";

declare const process: { argv: string[]; stdout: { write(text: string): void } };
const [baseUrl, key, csv] = process.argv.slice(2) as [string, string, string];
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
const form = new FormData();
form.set("name", "wine");
form.set("file", new Blob([csv], { type: "text/csv" }), "wine.csv");
const uploaded = await client.POST("/v1/datasets", { body: form as never });
if (!uploaded.data) throw new Error(JSON.stringify(uploaded.error));

type NewJob = components["schemas"]["NewJob"];
const body: NewJob = { kind: "train", dataset_id: uploaded.data.id, target: "target", model: "typed" };
const started = await client.POST("/v1/jobs", { body });
if (!started.data) throw new Error(JSON.stringify(started.error));

const params = { path: { job_id: started.data.id } };
const { data: job, error } = await client.GET("/v1/jobs/{job_id}", { params });
if (!job) throw new Error(JSON.stringify(error));
const state: "accepted" | "queued" | "running" | "finalizing" | "succeeded" | "failed" | "canceled" | "expired" = job.state;
process.stdout.write(JSON.stringify({ id: job.id, state, model: job.model.name, entries: job.timeline.length }));
