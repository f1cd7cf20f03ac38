use gatewarden_access::{Permit, Writes};
use gatewarden_store::{OrgTx, Repeat};
use gatewarden_types::{Id, Record};

use crate::Error;

/// An `Idempotency-Key`, or what stands for it in a form: with it, a request that is sent twice makes one thing.
#[derive(Debug, Clone)]
pub struct Once {
    /// The caller's word for the request.
    pub word: String,
    /// SHA-256 of everything the request says.
    pub request: [u8; 32],
}

impl Once {
    /// The same for one of several things that a request makes.
    #[must_use]
    pub fn part(&self, number: usize) -> Self {
        Self { word: format!("{}:{number}", self.word), request: self.request }
    }

    /// What the same request made before.
    ///
    /// # Errors
    /// [`Error::Reused`] when another request used the word before.
    pub(crate) async fn before<A: Writes<R>, R: Record>(
        once: Option<&Self>,
        tx: &OrgTx,
        permit: &Permit<A>,
    ) -> Result<Option<Id<R>>, Error> {
        let Some(once) = once else { return Ok(None) };
        match tx.repeat::<A, R>(permit, &once.word, &once.request).await? {
            Repeat::First => Ok(None),
            Repeat::Same(record) => Ok(Some(record)),
            Repeat::Other => Err(Error::Reused),
        }
    }

    /// Keeps what the request has made.
    pub(crate) async fn keep<A: Writes<R>, R: Record>(
        once: Option<&Self>,
        tx: &mut OrgTx,
        permit: &Permit<A>,
        record: Id<R>,
    ) -> Result<(), Error> {
        if let Some(once) = once {
            tx.remember::<A, R>(permit, &once.word, &once.request, record).await?;
        }
        Ok(())
    }
}
