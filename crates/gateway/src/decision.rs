//! What the request path decides, by itself: without sockets and bodies, so that it can be measured.

use std::sync::Arc;

use gatewarden_types::{Id, Request, Timestamp};
use hyper::header::HeaderMap;

use crate::{
    admission::{Holder, presented},
    limits::Limiter,
    refusal::Refusal,
    snapshot::Snapshot,
};

/// One policy and what has been let through by it.
#[derive(Debug)]
pub struct Decision {
    snapshot: Snapshot,
    limiter: Arc<Limiter>,
}

impl Decision {
    /// By this policy, when nothing has been let through yet.
    pub fn by(snapshot: Snapshot) -> Self {
        Self { snapshot, limiter: Arc::default() }
    }

    /// Goes through the steps that every call goes through before its provider is asked: whose key its headers carry,
    /// whether it may call the model, and whether its limits have room for `tokens`, which stay reserved.
    ///
    /// # Errors
    /// The code with which the call would be refused.
    pub fn of(
        &self,
        headers: &HeaderMap,
        model: &str,
        tokens: u64,
        (request, now): (Id<Request>, Timestamp),
    ) -> Result<(), &'static str> {
        let steps = || {
            let holder = Holder::find(&self.snapshot, &presented(headers)?)?;
            let route = holder.route(&holder.facts(request, now)?, model)?;
            let admitted = self.limiter.admit(&holder, tokens, now)?;
            Ok((route, admitted))
        };
        steps().map(drop).map_err(|refusal: Refusal| refusal.code())
    }
}
