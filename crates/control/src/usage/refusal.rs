use gatewarden_store::UsageSlice;

/// Calls that were refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalUsage {
    /// The reason, as the code in the answers.
    pub reason: String,
    /// How many.
    pub calls: u64,
}

impl RefusalUsage {
    pub(super) fn new((reason, slice): (String, UsageSlice)) -> Self {
        Self { reason, calls: slice.calls }
    }

    /// The reason in few words; a code that has no words of its own reads as it is spelled.
    pub fn why(&self) -> String {
        match self.reason.as_str() {
            "key_model" => return "Model not in the key's list".to_owned(),
            "key_level" => return "Key not for model calls".to_owned(),
            "model_not_found" => return "Model not approved".to_owned(),
            "field_not_allowed" => return "Field not allowed".to_owned(),
            "unencrypted_address" => return "Provider without encryption".to_owned(),
            "provider_redirected" => return "Provider redirected the call".to_owned(),
            "not_your_own" | "permission_missing" => return "Role may not call models".to_owned(),
            _ => {}
        }
        let text = self.reason.replace('_', " ");
        let mut letters = text.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }

    /// What helps, as a sentence.
    pub fn helps(&self) -> &'static str {
        match self.reason.as_str() {
            "key_revoked" => "Use another key in its place, or create one.",
            "key_expired" => "Create another key and use it in its place.",
            "key_model" => "Create a key that may call the model.",
            "key_level" => "Create a key with a higher level for model calls.",
            "model_not_found" => "Approve the model, or name one that is approved.",
            "permission_missing" | "not_your_own" => "Give the member a role that may call models.",
            "member_suspended" => "Reinstate the member, or use another key.",
            "organization_suspended" => "Ask the operator of this instance to reinstate the organization.",
            "credential_missing" | "credential_refused" => "Give the provider's secret again.",
            "private_address" => "Ask the operator to allow the address, or give the provider a public one.",
            "unencrypted_address" => "Give the provider an https:// address.",
            "field_not_allowed" => "Leave out the field: which model is called, and where, is for admins to say.",
            "provider_redirected" => "Give the provider the address that it redirects to, if you trust it.",
            "provider_unreachable" | "provider_broke_off" | "provider_timed_out" => "Test the provider.",
            "invalid_body" | "missing_model" | "body_too_large" => "Look at what the program sends.",
            "not_ready" => "Nothing: the gateway had just started.",
            _ => "Look at the answer that the caller got: it says what to do.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_reads_as_words() {
        let refusal = RefusalUsage { reason: "key_revoked".to_owned(), calls: 1 };
        assert_eq!(refusal.why(), "Key revoked");
        assert!(refusal.helps().ends_with('.'));
    }
}
