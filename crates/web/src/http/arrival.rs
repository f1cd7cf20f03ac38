//! Taking a request in before anyone works on it.

use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    middleware::Next,
    web,
};
use gatewarden_control::gateways::LONGEST_BODY;
use tokio::time::timeout;

use super::{Fault, Stranger};

/// The largest form or JSON document, in bytes. Gateways count on it.
pub(crate) const LARGEST_BODY: usize = LONGEST_BODY;

/// Reads the whole body within the site's time, so that no sender holds a connection and a handler open by being slow.
///
/// The time is for arriving alone: work that has begun is not broken off, because half of it might be done.
pub(crate) async fn arrived(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let limit = Stranger::of(request.request())?.site.arrival;
    let body = request.extract::<web::Payload>().await?;
    let fault = match timeout(limit, body.to_bytes_limited(LARGEST_BODY)).await {
        Ok(Ok(Ok(body))) => {
            request.set_payload(Payload::from(body));
            return Ok(next.call(request).await?.map_into_boxed_body());
        }
        Ok(Ok(Err(_))) => Fault::Malformed("The request broke off.".to_owned()),
        Ok(Err(_)) => Fault::TooLarge,
        Err(_) => Fault::TooSlow(limit.as_secs()),
    };
    // An answer and not an error: the layer around this one draws answers alone.
    Ok(request.error_response(fault))
}
