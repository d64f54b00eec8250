// The providers' own packages, told on standard input what to do: [{op, ...}] as JSON; their answers on standard output.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { sign, verify } from "@octokit/webhooks-methods";
import { Webhook as StandardWebhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";

const load = createRequire(import.meta.url);
const stripe = new Stripe("sk_test_none");
const header = (payload, secret, timestamp) => stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
const three = (family, Library, { body, secret, id, timestamp }) => ({
  [`${family}-id`]: id,
  [`${family}-timestamp`]: String(timestamp),
  [`${family}-signature`]: new Library(secret).sign(id, new Date(timestamp * 1000), body),
});

const operations = {
  octokit: async ({ body, secret, id }) => ({ "x-hub-signature-256": await sign(secret, body), "x-github-delivery": id }),
  octokit_verify: ({ body, secret, signature }) => verify(secret, body, signature),
  standardwebhooks: (one) => three("webhook", StandardWebhook, one),
  standardwebhooks_verify: ({ body, secret, headers }) => new StandardWebhook(secret).verify(body, headers),
  svix: (one) => three("svix", SvixWebhook, one),
  svix_verify: ({ body, secret, headers }) => (new SvixWebhook(secret).verify(body, headers), true), // says nothing
  stripe: ({ body, secret, timestamp }) => ({ "stripe-signature": header(body, secret, timestamp) }),
  stripe_verify: ({ body, secret, signature }) => stripe.webhooks.constructEvent(body, signature, secret),
  // Every example that GitHub published, of github.com and of each Enterprise Server, signed as its webhook is.
  examples: ({ secret, editions }) => {
    const all = editions.flatMap((edition) =>
      load(`@octokit/webhooks-examples/${edition}/index.json`).flatMap(({ name, examples }) =>
        examples.map((example) => ({ edition, event: name, body: JSON.stringify(example) })),
      ),
    );
    return Promise.all(all.map(async (one) => ({ ...one, signature: await sign(secret, one.body) })));
  },
};

const asked = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(await Promise.all(asked.map(({ op, ...one }) => operations[op](one)))));
