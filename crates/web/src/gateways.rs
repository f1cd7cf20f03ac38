//! Gateways on other hosts: they enrol with a token, follow a feed of sealed frames, and report.

use actix_web::{HttpResponse, web::Bytes};
use futures::stream;
use gatewarden_control::gateways::{
    self, Admitted, Asked, Enrolled, Enrolment, Position, Report, Spending, usage_batch,
};
use gatewarden_types::{Digest, Seq};
use serde::{Deserialize, de::DeserializeOwned};

use crate::http::{Answer, Fault, Stranger, bearer};

/// What a gateway wants to be sent, in its query.
#[derive(Deserialize)]
struct Query {
    /// Chosen anew for each feed, for the key of its frames.
    salt: Digest,
    /// The position it has; none where it knows nothing.
    after: Option<Seq>,
    /// The leaf hash of the entry there.
    head: Option<Digest>,
    /// Whether it wants a base all the same.
    #[serde(default)]
    base: bool,
}

/// Lets in a gateway that shows the token it was given.
pub async fn enroll(door: Stranger, body: Bytes) -> Answer {
    let token = shown(&door)?.parse().map_err(|_| Fault::Unauthenticated)?;
    let Enrolment { verifier } = json(&body)?;
    let organization = gateways::enroll(&door.site.app, door.request, &token, verifier).await?;
    Ok(HttpResponse::Created().json(Enrolled { organization }))
}

/// Sends a gateway its policy, for as long as it listens.
pub async fn feed(door: Stranger) -> Answer {
    let admitted = admitted(&door).await?;
    let Query { salt, after, head, base } = serde_urlencoded::from_str(door.http.query_string())
        .map_err(|bad| Fault::Malformed(format!("The query cannot be taken: {bad}.")))?;
    let known = after.zip(head).map(|(seq, head)| Position { seq, head });
    let asked = Asked { known, wants_base: base };
    let frames = gateways::feed(&door.site.app, admitted, &salt.0, asked);
    let sent = stream::unfold(frames, |mut frames| async move {
        let frame = frames.recv().await?;
        Some((Ok::<_, Fault>(Bytes::from(frame)), frames))
    });
    Ok(HttpResponse::Ok().content_type("application/octet-stream").streaming(sent))
}

/// Takes in what a gateway says of itself.
pub async fn report(door: Stranger, body: Bytes) -> Answer {
    let admitted = admitted(&door).await?;
    let said: Report = json(&body)?;
    gateways::report(&door.site.app, &admitted, said);
    Ok(HttpResponse::NoContent().finish())
}

/// Keeps the calls that a gateway has answered, as they lie in its spool. What is answered with 204 is kept.
pub async fn usage(door: Stranger, body: Bytes) -> Answer {
    let admitted = admitted(&door).await?;
    let calls = usage_batch::decode(&body).map_err(|bad| Fault::Malformed(bad.to_string()))?;
    gateways::keep_usage(&door.site.app, &admitted, &calls).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Takes in what a gateway has let through, and tells it how full its limits are with what the others have.
pub async fn limits(door: Stranger, body: Bytes) -> Answer {
    let admitted = admitted(&door).await?;
    let spending: Spending = json(&body)?;
    Ok(HttpResponse::Ok().json(gateways::share_limits(&door.site.app, &admitted, &spending)))
}

async fn admitted(door: &Stranger) -> Result<Admitted, Fault> {
    let found = gateways::admit(&door.site.app, door.request, shown(door)?).await?;
    found.ok_or(Fault::Unauthenticated)
}

fn shown(door: &Stranger) -> Result<&str, Fault> {
    let sent = bearer(&door.http).and_then(|sent| std::str::from_utf8(sent).ok());
    sent.ok_or(Fault::Unauthenticated)
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|bad| Fault::Malformed(format!("The JSON cannot be taken: {bad}.")))
}
