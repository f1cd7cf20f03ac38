//! The fields of a model call that no caller may set, in any of the APIs.
//!
//! A body goes to the provider as it came, and many providers are gateways themselves: OpenRouter, LiteLLM, Portkey,
//! Vercel, vLLM behind a router. They take from the body which models to try, at whose address and with whose secret.
//! A key that may call one cheap model would so call any, and a prompt would go where no admin has sent it. What is
//! approved and decided on is `model` alone, so whatever else chooses where a call goes is refused.

use std::{collections::HashSet, sync::LazyLock};

/// Chooses the model, or others to try.
const MODELS: [&str; 13] = [
    "models",
    "fallbacks",
    "fallback_models",
    "fallback_credit_token",
    "context_window_fallbacks",
    "context_window_fallback_dict",
    "content_policy_fallbacks",
    "model_list",
    "model_group",
    "engine",
    "deployment_id",
    "preset",
    "plugins",
];

/// Chooses who answers, where, or whose account is used.
const PLACES: [&str; 25] = [
    "route",
    "router",
    "router_settings",
    "provider",
    "providers",
    "provider_options",
    "custom_llm_provider",
    "custom_host",
    "base_url",
    "endpoint",
    "proxy",
    "organization",
    "region_name",
    "inference_geo",
    "allowed_model_region",
    "user_config",
    "config",
    "credentials",
    "authorization",
    "data_sources",
    "kv_transfer_params",
    "client",
    "use_in_pass_through",
    "mcp_servers",
    "user_profile_id",
];

/// Is taken over into the request that a gateway behind this one makes.
const CARRIED: [&str; 8] = [
    "extra_body",
    "extra_headers",
    "extra_query",
    "headers",
    "default_headers",
    "query_params",
    "optional_params",
    "allowed_openai_params",
];

/// How settings of a provider or of a gateway begin, such as `api_base`, `api_key` and `vertex_credentials`.
const BEGINNINGS: [&str; 7] = ["api_", "litellm_", "portkey_", "openrouter_", "aws_", "azure_", "vertex_"];

/// All of these names as they are looked up.
static BARRED: LazyLock<HashSet<String>> =
    LazyLock::new(|| MODELS.iter().chain(&PLACES).chain(&CARRIED).map(|name| squeezed(name)).collect());
static BEGIN: LazyLock<[String; 7]> = LazyLock::new(|| BEGINNINGS.map(squeezed));

/// Whether a field may choose another model, address or secret than those that were decided on. Case, `_` and `-` make
/// no difference, because they make none to some readers: `apiBase`, `api-base` and `API_BASE` are one field.
pub(super) fn is_barred(name: &str) -> bool {
    let name = squeezed(name);
    BEGIN.iter().any(|start| name.starts_with(start)) || BARRED.contains(&name)
}

/// A name without what careless readers pass over. Down and up again, because some letters meet only so: the long s
/// is an S to them, and the sign for Kelvin a K. Names are plain but for an attacker's, and plain ones are read fast.
fn squeezed(name: &str) -> String {
    let mut squeezed = String::with_capacity(name.len());
    if name.is_ascii() {
        let letters = name.bytes().filter(|byte| !matches!(byte, b'_' | b'-'));
        squeezed.extend(letters.map(|byte| char::from(byte.to_ascii_uppercase())));
    } else {
        let letters = name.chars().filter(|c| !matches!(c, '_' | '-'));
        squeezed.extend(letters.flat_map(char::to_lowercase).flat_map(char::to_uppercase));
    }
    squeezed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the APIs themselves have, and what model servers add to them that changes the answer and not where it comes
    /// from.
    const ALLOWED: [&str; 53] = [
        "model",
        "messages",
        "stream",
        "stream_options",
        "temperature",
        "top_p",
        "n",
        "stop",
        "max_tokens",
        "max_completion_tokens",
        "presence_penalty",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "user",
        "seed",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "functions",
        "function_call",
        "response_format",
        "reasoning_effort",
        "reasoning",
        "verbosity",
        "metadata",
        "store",
        "service_tier",
        "modalities",
        "audio",
        "prediction",
        "web_search_options",
        "prompt_cache_key",
        "safety_identifier",
        "top_k",
        "min_p",
        "repetition_penalty",
        "guided_json",
        "chat_template_kwargs",
        "input",
        "encoding_format",
        "dimensions",
        "system",
        "stop_sequences",
        "thinking",
        "container",
        "context_management",
        "output_config",
        "output_format",
        "cache_control",
        "speed",
        "diagnostics",
    ];

    #[test]
    fn what_the_api_has_is_let_through() {
        assert!(ALLOWED.iter().all(|name| !is_barred(name)));
    }

    proptest! {
        #[test]
        fn a_barred_field_is_known_however_it_is_written(
            at in any::<prop::sample::Index>(), upper in prop::collection::vec(any::<bool>(), 40), dash in any::<bool>(),
        ) {
            let beginnings = BEGINNINGS.map(|start| format!("{start}anything"));
            let all: Vec<&str> = MODELS.iter().chain(&PLACES).chain(&CARRIED).copied()
                .chain(beginnings.iter().map(String::as_str)).collect();
            let name = all[at.index(all.len())];
            let cased = name.chars().zip(upper).map(|(c, upper)| if upper { c.to_ascii_uppercase() } else { c });
            let written: String = cased.collect();
            prop_assert!(is_barred(&written));
            let other = if dash { written.replace('_', "-") } else { written.replace('_', "") };
            prop_assert!(is_barred(&other), "{other}");
            let strange = name.replace('s', "\u{17f}").replace('k', "\u{212a}");
            prop_assert!(is_barred(&strange), "{strange}");
        }
    }
}
