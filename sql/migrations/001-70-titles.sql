-- SPDX-License-Identifier: Apache-2.0
--
-- The titles beside Token Legend and Cache Wizard, the metrics they need, and which models have open weights.

ALTER TABLE model ADD COLUMN canonical text COLLATE "C";
COMMENT ON COLUMN model.canonical IS 'The name under which several names of one model count as one (models_used); null: its own name';

CREATE TABLE open_weight_model (
	pattern text COLLATE "C" PRIMARY KEY CHECK (pattern <> ''),
	note text NOT NULL DEFAULT ''
);
COMMENT ON TABLE open_weight_model IS
	'Models with open weights: LIKE patterns for the lower-case name, also behind a prefix such as "vendor/"; edit at will';
GRANT SELECT, INSERT, UPDATE, DELETE ON open_weight_model TO tokentally_admin;
INSERT INTO open_weight_model VALUES
	('llama%', 'Meta'), ('meta-llama%', 'Meta'), ('codellama%', 'Meta'),
	('mistral-7b%', 'Mistral AI'), ('mixtral%', 'Mistral AI'), ('mistral-nemo%', 'Mistral AI'), ('devstral-small%', 'Mistral AI'),
	('mistral-small%', 'Mistral AI, Apache 2.0 since version 3'), ('magistral-small%', 'Mistral AI'), ('ministral%', 'Mistral AI'),
	('qwen2%', 'Alibaba'), ('qwen3%', 'Alibaba; not the hosted qwen-max and qwen-plus'), ('qwq-32b%', 'Alibaba'),
	('deepseek%', 'DeepSeek'), ('gpt-oss%', 'OpenAI'), ('gemma%', 'Google'), ('codegemma%', 'Google'),
	('phi-%', 'Microsoft'), ('phi3%', 'Microsoft'), ('phi4%', 'Microsoft'), ('granite%', 'IBM'), ('olmo%', 'Ai2'),
	('glm-4%', 'Z.ai'), ('kimi-k2%', 'Moonshot AI'), ('command-r%', 'Cohere'), ('starcoder%', 'BigCode'),
	('nemotron%', 'NVIDIA'), ('falcon%', 'TII'), ('yi-%', '01.AI'), ('smollm%', 'Hugging Face'), ('minimax-m%', 'MiniMax');

INSERT INTO title_metric (name, description, direction, whole) VALUES
	('cost_usd', 'cost in US dollars, reported or computed; unknown while a call has no price', 'descending', false),
	('longest_session_hours', 'longest chain of calls of one session with gaps under 30 minutes, first to last', 'descending', false),
	('models_used', 'models with at least 10 calls and 1 % of the person''s calls each', 'descending', true),
	('cost_per_1k_output', 'US dollars a 1,000 output tokens; unknown while a call has no price or nothing was paid', 'ascending', false),
	('streak_days', 'most UTC days with a call in a row; Saturday and Sunday neither add nor break', 'descending', true),
	('providers_used', 'known providers with at least 10 calls each', 'descending', true),
	('error_bound', 'upper bound of the 95 % Wilson interval of errors / calls', 'ascending', false),
	('open_weight_share', 'share of tokens of models with open weights', 'descending', false);

INSERT INTO title_rule (name, description, metric, window_name, kind, direction, tiers, floors) VALUES
	('Session Immortal', 'Longest session in 30 days', 'longest_session_hours', '30d', 'rank', 'descending',
		'{"emerald": 1, "jade": 3, "gold": 10, "silver": 50, "bronze": 250}', '{}'),
	('Model Connoisseur', 'Models really used in 30 days', 'models_used', '30d', 'milestone', 'descending',
		'{"bronze": 3, "silver": 5, "gold": 8, "jade": 12, "emerald": 20}', '{}'),
	('Thrift Master', 'Least cost for 1,000 output tokens in 30 days', 'cost_per_1k_output', '30d', 'rank', 'ascending',
		'{"emerald": 1, "jade": 3, "gold": 10, "silver": 50, "bronze": 250}', '{"output_tokens": 100000}'),
	('Marathoner', 'Working days in a row with a call, within 120 days', 'streak_days', '120d', 'milestone', 'descending',
		'{"bronze": 5, "silver": 10, "gold": 20, "jade": 40, "emerald": 80}', '{}'),
	('Polyglot', 'Providers used in 30 days', 'providers_used', '30d', 'milestone', 'descending',
		'{"bronze": 2, "silver": 3, "gold": 4, "jade": 5, "emerald": 6}', '{}'),
	('Steady Hand', 'Fewest errors in 30 days, on the safe side', 'error_bound', '30d', 'rank', 'ascending',
		'{"emerald": 1, "jade": 3, "gold": 10, "silver": 50, "bronze": 250}', '{"calls": 500}'),
	('Open Champion', 'Largest share of tokens from models with open weights in 30 days', 'open_weight_share', '30d', 'rank', 'descending',
		'{"emerald": 1, "jade": 3, "gold": 10, "silver": 50, "bronze": 250}', '{"total_tokens": 1000000}');
