/* SPDX-License-Identifier: Apache-2.0
 *
 * company_models: the models that the made-up company calls, with list prices of their kind. The
 * figures only have to be plausible for a demo; nothing is billed by them.
 */
#include "company.h"

static const struct model models[MODELS] = {
	/* provider, name, USD per million: input, output, cache read, cache write; caching, ttft,
	   tokens/s, reasons */
	[OPUS] = { "anthropic", "claude-opus-4-6", 5, 25, 0.5, 6.25, CACHE_EXPLICIT, 1400, 62,
		   true },
	[SONNET] = { "anthropic", "claude-sonnet-4-5", 3, 15, 0.3, 3.75, CACHE_EXPLICIT, 900, 78,
		     true },
	[HAIKU] = { "anthropic", "claude-haiku-4-5", 1, 5, 0.1, 1.25, CACHE_EXPLICIT, 450, 150,
		    false },
	[SONNET_BEDROCK] = { "bedrock", "claude-sonnet-4-5", 3, 15, 0.3, 3.75, CACHE_EXPLICIT, 1150,
			     66, true },
	[GPT] = { "openai", "gpt-5", 1.25, 10, 0.125, 0, CACHE_AUTOMATIC, 1900, 85, true },
	[GPT_MINI] = { "openai", "gpt-5-mini", 0.25, 2, 0.025, 0, CACHE_AUTOMATIC, 700, 140, true },
	[GEMINI_PRO] = { "google", "gemini-2.5-pro", 1.25, 10, 0.125, 0, CACHE_AUTOMATIC, 2100, 105,
			 true },
	[GEMINI_FLASH] = { "google", "gemini-2.5-flash", 0.3, 2.5, 0.03, 0, CACHE_AUTOMATIC, 420,
			   230, false },
	[MISTRAL] = { "mistral", "mistral-large-latest", 2, 6, 0, 0, CACHE_NONE, 650, 70, false },
	[DEEPSEEK] = { "deepseek", "deepseek-chat", 0.28, 0.42, 0.028, 0, CACHE_AUTOMATIC, 1300, 45,
		       false },
	[GPT_OSS] = { "groq", "openai/gpt-oss-120b", 0.15, 0.6, 0, 0, CACHE_NONE, 210, 480, true },
	/* Both run on the company's own machines: no invoice, so no cost is reported. */
	[QWEN_CODER] = { "vllm", "qwen3-coder-30b", 0, 0, 0, 0, CACHE_NONE, 260, 95, false },
	[LLAMA] = { "vllm", "llama-3.3-70b-instruct", 0, 0, 0, 0, CACHE_NONE, 380, 48, false },
};

const struct model *model_of(enum model_id id)
{
	return &models[id];
}

double cost_of(const struct model *model, const struct call *call)
{
	int64_t prompt = call->input + call->cache_read + call->cache_write;
	bool long_prompt = prompt > 200000 && model == &models[GEMINI_PRO];
	double factor = call->tier ? 0.5 : 1.0;

	if (model->input <= 0)
		return -1;
	double input = (double)call->input * model->input +
		       (double)call->cache_read * model->cache_read +
		       (double)call->cache_write * model->cache_write;
	double output = (double)call->output * model->output;
	/* Beyond 200,000 tokens of prompt this model charges the whole request more. */
	if (long_prompt) {
		input *= 2;
		output *= 1.5;
	}
	return (input + output) * factor * 1e-6;
}
