use crate::*;
use gatewarden_types::*;
pub struct Resumed {
    pub caller: Caller,
    pub account: Id<Account>,
    pub session: Id<Session>,
}
pub async fn resume(_app: &App, _t: &str, _r: Id<Request>) -> Result<Option<Resumed>, Error> {
    Ok(None)
}
