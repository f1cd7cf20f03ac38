//! Every setting there is.

/// A setting's name and how it can be given.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name in the file, with a dot between table and key.
    pub name: &'static str,
    /// What it is when nobody says.
    pub default: Option<&'static str>,
    /// Its flag.
    pub flag: Option<&'static str>,
    /// Its value is never shown.
    pub secret: bool,
}

macro_rules! keys {
    ($($key:ident $name:literal $(= $default:literal)? $(, flag $flag:literal)? $(=> $secret:ident)?;)+) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub const $key: &Key = &Key {
                name: $name,
                default: keys!(@opt $($default)?),
                flag: keys!(@opt $($flag)?),
                secret: keys!(@is $($secret)?),
            };
        )+
        /// Every setting.
        pub const ALL: &[&Key] = &[$($key),+];
    };
    (@opt) => { None };
    (@opt $value:literal) => { Some($value) };
    (@is) => { false };
    (@is secret) => { true };
}

keys! {
    DATA "data" = "./data", flag "--data";
    LISTEN "listen" = "127.0.0.1:8080", flag "--listen";
    PUBLIC_URL "public_url", flag "--public-url";
    TRUSTED_PROXIES "trusted_proxies", flag "--trusted-proxies";
    GATEWAY_LISTEN "gateway.listen" = "127.0.0.1:8081", flag "--gateway-listen";
    GATEWAY_PUBLIC_URL "gateway.public_url";
    TLS_CERTIFICATE "tls.certificate", flag "--tls-cert";
    TLS_KEY "tls.key", flag "--tls-key";
    DATABASE_URL "database.url", flag "--database-url" => secret;
    UPSTREAMS_ALLOW_PRIVATE "upstreams.allow_private";
    MAIL_SMTP_URL "mail.smtp_url" => secret;
    MAIL_FROM "mail.from";
    LIMITS_OPEN_ORGANIZATIONS "limits.open_organizations" = "64";
    LIMITS_DATABASE_CONNECTIONS "limits.database_connections" = "16";
    LIMITS_HASHING "limits.hashing" = "2";
    LIMITS_USAGE_SPOOL "limits.usage_spool" = "256";
    LOG_FORMAT "log.format" = "text";
    LOG_LEVEL "log.level" = "info";
}

impl Key {
    /// The environment variable that gives it.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.replace('.', "__").to_uppercase())
    }

    /// The setting of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().copied().find(|key| key.name == name)
    }

    /// The setting whose name is nearest to a mistyped one, where one is near.
    pub fn like(mistyped: &str) -> Option<&'static Self> {
        let tail = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
        let by_tail = ALL.iter().copied().find(|key| tail(key.name) == tail(mistyped));
        by_tail.or_else(|| ALL.iter().copied().find(|key| near(key.name, mistyped)))
    }
}

/// What the environment variables of settings begin with.
pub const PREFIX: &str = "GATEWARDEN__";

/// Whether two names differ by a few characters in one place.
fn near(a: &str, b: &str) -> bool {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let same_end = a.bytes().rev().zip(b.bytes().rev()).take_while(|(a, b)| a == b).count();
    a.len().max(b.len()).saturating_sub(same + same_end) <= 2
}
