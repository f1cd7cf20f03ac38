//! A call under way: by what it was allowed, and how it is told that it is over.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use gatewarden_types::{Id, Model, Request as RequestId, Timestamp};
use tokio::sync::oneshot;

use crate::{
    admission::{Holder, Route},
    refusal::Refusal,
    snapshot::{Endpoint, Snapshot},
};

/// A call under way, as the sweep sees it.
#[derive(Debug)]
pub(crate) struct Running {
    holder: Holder,
    request: Id<RequestId>,
    model: Arc<Model>,
    endpoint: Arc<Endpoint>,
    tell: oneshot::Sender<Refusal>,
}

/// The call's own end of it: what it is told, if it is told anything.
#[derive(Debug)]
pub(crate) struct Leash(Option<oneshot::Receiver<Refusal>>);

impl Running {
    pub(crate) fn new(holder: &Holder, request: Id<RequestId>, route: &Route) -> (Self, Leash) {
        let (tell, told) = oneshot::channel();
        let (model, endpoint) = (Arc::clone(&route.model), Arc::clone(&route.endpoint));
        (Self { holder: holder.clone(), request, model, endpoint, tell }, Leash(Some(told)))
    }

    /// Decides again, as for a new call, whether it may go on; while the policy is the same and the key has not
    /// expired, there is nothing to decide.
    pub(crate) fn review(&mut self, snapshot: &Snapshot, now: Timestamp) -> Result<(), Refusal> {
        let holder = self.holder.anew(snapshot)?;
        let unmoved = Arc::ptr_eq(&holder.policy, &self.holder.policy);
        if unmoved && holder.held.facts.works(now) {
            // So that a long call keeps nothing of an old policy alive.
            self.holder = holder;
            return Ok(());
        }
        let route = holder.route(&holder.facts(self.request, now)?, self.model.name.as_str())?;
        if route.model.id != self.model.id {
            return Err(holder.not_approved(self.model.name.as_str()));
        }
        self.holder = holder;
        Ok(())
    }

    /// What to tell it when its provider has had its time.
    pub(crate) fn timed_out(&self) -> Refusal {
        Refusal::TimedOut(self.endpoint.provider.name.to_string())
    }

    /// Tells it that it is over; false when it has ended already.
    pub(crate) fn tell(self, refusal: Refusal) -> bool {
        self.tell.send(refusal).is_ok()
    }
}

impl Leash {
    /// What it was told, if it has not taken that in yet.
    pub(crate) fn told(&mut self) -> Option<Refusal> {
        self.0.take()?.try_recv().ok()
    }
}

impl Future for Leash {
    type Output = Refusal;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Refusal> {
        let Some(line) = &mut self.0 else { return Poll::Pending };
        let told = ready!(Pin::new(line).poll(cx));
        // Once it has said something, or can say nothing any more, it is not asked again.
        self.0 = None;
        told.map_or(Poll::Pending, Poll::Ready)
    }
}
