//! Switches that may change while the service runs. Source: `docs/contract/interface.md` 3.3.

use std::time::Duration;

use crate::domain::duration::{self, Span};

/// Real time that one attempt of a webhook may be given at most.
const WEBHOOK_TIMEOUT_MAX: Duration = Duration::from_mins(10);
/// Bytes of an error code of the gateway.
const CODE_BYTES_MAX: usize = 64;

/// The name of a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    CosKeyInfoTtl,
    CosKeyUnavailableStatus,
    CosKeyUnavailableCode,
    CosReserveDeletedNames,
    CosBucketsMax,
    CosStorageBytesMax,
    IamPropagation,
    DeregistrationLag,
    RingCountLag,
    InstanceReclamation,
    WebhookTimeout,
}

impl Setting {
    /// All of them, in the order of the contract.
    pub(crate) const ALL: [Self; 11] = [
        Self::CosKeyInfoTtl,
        Self::CosKeyUnavailableStatus,
        Self::CosKeyUnavailableCode,
        Self::CosReserveDeletedNames,
        Self::CosBucketsMax,
        Self::CosStorageBytesMax,
        Self::IamPropagation,
        Self::DeregistrationLag,
        Self::RingCountLag,
        Self::InstanceReclamation,
        Self::WebhookTimeout,
    ];

    /// The name on the wire and in the store.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CosKeyInfoTtl => "cosKeyInfoTtl",
            Self::CosKeyUnavailableStatus => "cosKeyUnavailableStatus",
            Self::CosKeyUnavailableCode => "cosKeyUnavailableCode",
            Self::CosReserveDeletedNames => "cosReserveDeletedNames",
            Self::CosBucketsMax => "cosBucketsMax",
            Self::CosStorageBytesMax => "cosStorageBytesMax",
            Self::IamPropagation => "iamPropagation",
            Self::DeregistrationLag => "deregistrationLag",
            Self::RingCountLag => "ringCountLag",
            Self::InstanceReclamation => "instanceReclamation",
            Self::WebhookTimeout => "webhookTimeout",
        }
    }

    /// Reads the name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.name() == name)
    }
}

/// A value as it is shown, and as somebody wants it to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    Whole(i64),
    Flag(bool),
    /// Something that no setting can be.
    Other,
}

/// Why a value is refused; what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It is of another type or form.
    Form(String),
    /// It is well-formed and out of range.
    Range(String),
}

/// All switches as they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// How long the gateway trusts what it knows of a root key; zero: it asks each time. Virtual time.
    pub(crate) cos_key_info_ttl: Span,
    /// HTTP status of a data operation whose root key is not usable, 400 to 599.
    pub(crate) cos_key_unavailable_status: u16,
    /// Error code of the same.
    pub(crate) cos_key_unavailable_code: String,
    /// True when a deleted bucket's name stays taken for five minutes.
    pub(crate) cos_reserve_deleted_names: bool,
    /// Buckets per COS instance; zero: no limit.
    pub(crate) cos_buckets_max: u64,
    /// Bytes of all objects; zero: no limit.
    pub(crate) cos_storage_bytes_max: u64,
    /// How late a change of a policy of IAM takes effect. Virtual time.
    pub(crate) iam_propagation: Span,
    /// How long a deleted bucket's registration stays. Virtual time.
    pub(crate) deregistration_lag: Span,
    /// How long a key that has left a ring still counts in it. Virtual time.
    pub(crate) ring_count_lag: Span,
    /// How long a deleted instance stays before it is gone. Virtual time.
    pub(crate) instance_reclamation: Span,
    /// Real time for one attempt of a webhook.
    pub(crate) webhook_timeout: Span,
}

impl Default for Settings {
    fn default() -> Self {
        let none = Span::new(Duration::ZERO);
        Self {
            cos_key_info_ttl: Span::new(Duration::from_hours(1)),
            cos_key_unavailable_status: 403,
            cos_key_unavailable_code: "AccessDenied".to_owned(),
            cos_reserve_deleted_names: false,
            cos_buckets_max: 0,
            cos_storage_bytes_max: 0,
            iam_propagation: none.clone(),
            deregistration_lag: none.clone(),
            ring_count_lag: none.clone(),
            instance_reclamation: none,
            webhook_timeout: Span::new(Duration::from_secs(15)),
        }
    }
}

impl Settings {
    /// A switch as it stands.
    pub(crate) fn get(&self, setting: Setting) -> Value<'_> {
        match setting {
            Setting::CosKeyInfoTtl => Value::Text(self.cos_key_info_ttl.as_str()),
            Setting::CosKeyUnavailableStatus => Value::Whole(i64::from(self.cos_key_unavailable_status)),
            Setting::CosKeyUnavailableCode => Value::Text(&self.cos_key_unavailable_code),
            Setting::CosReserveDeletedNames => Value::Flag(self.cos_reserve_deleted_names),
            Setting::CosBucketsMax => Value::Whole(i64::try_from(self.cos_buckets_max).unwrap_or(i64::MAX)),
            Setting::CosStorageBytesMax => Value::Whole(i64::try_from(self.cos_storage_bytes_max).unwrap_or(i64::MAX)),
            Setting::IamPropagation => Value::Text(self.iam_propagation.as_str()),
            Setting::DeregistrationLag => Value::Text(self.deregistration_lag.as_str()),
            Setting::RingCountLag => Value::Text(self.ring_count_lag.as_str()),
            Setting::InstanceReclamation => Value::Text(self.instance_reclamation.as_str()),
            Setting::WebhookTimeout => Value::Text(self.webhook_timeout.as_str()),
        }
    }

    /// Turns a switch.
    ///
    /// # Errors
    /// What the value must be.
    pub(crate) fn set(&mut self, setting: Setting, value: Value<'_>) -> Result<(), Wrong> {
        match setting {
            Setting::CosKeyInfoTtl => self.cos_key_info_ttl = span(value)?,
            Setting::CosKeyUnavailableStatus => {
                let status = whole(value, 400, 599)?;
                self.cos_key_unavailable_status = u16::try_from(status).unwrap_or(self.cos_key_unavailable_status);
            }
            Setting::CosKeyUnavailableCode => self.cos_key_unavailable_code = code(value)?,
            Setting::CosReserveDeletedNames => self.cos_reserve_deleted_names = flag(value)?,
            Setting::CosBucketsMax => self.cos_buckets_max = whole(value, 0, i64::MAX)?.unsigned_abs(),
            Setting::CosStorageBytesMax => self.cos_storage_bytes_max = whole(value, 0, i64::MAX)?.unsigned_abs(),
            Setting::IamPropagation => self.iam_propagation = span(value)?,
            Setting::DeregistrationLag => self.deregistration_lag = span(value)?,
            Setting::RingCountLag => self.ring_count_lag = span(value)?,
            Setting::InstanceReclamation => self.instance_reclamation = span(value)?,
            Setting::WebhookTimeout => {
                let wanted = span(value)?;
                if wanted.length().is_zero() || wanted.length() > WEBHOOK_TIMEOUT_MAX {
                    return Err(Wrong::Range("must be between 1s and 10m".to_owned()));
                }
                self.webhook_timeout = wanted;
            }
        }
        Ok(())
    }

    /// A switch as text, for the store.
    pub(crate) fn to_text(&self, setting: Setting) -> String {
        match self.get(setting) {
            Value::Text(text) => text.to_owned(),
            Value::Whole(number) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
            Value::Other => String::new(),
        }
    }

    /// Reads such a text. `None` when the switch cannot be that.
    pub(crate) fn read(&mut self, setting: Setting, text: &str) -> Option<()> {
        let value = match self.get(setting) {
            Value::Text(_) => Value::Text(text),
            Value::Whole(_) => Value::Whole(text.parse().ok()?),
            Value::Flag(_) => Value::Flag(text.parse().ok()?),
            Value::Other => return None,
        };
        self.set(setting, value).ok()
    }
}

fn span(value: Value<'_>) -> Result<Span, Wrong> {
    let Value::Text(text) = value else { return Err(Wrong::Form(format!("must be a text: {}", duration::FORM))) };
    Span::parse(text).ok_or_else(|| {
        if duration::has_form(text) {
            Wrong::Range(format!("must be {}", duration::RANGE))
        } else {
            Wrong::Form(format!("must be {}", duration::FORM))
        }
    })
}

fn whole(value: Value<'_>, least: i64, most: i64) -> Result<i64, Wrong> {
    let Value::Whole(number) = value else { return Err(Wrong::Form("must be a whole number".to_owned())) };
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(Wrong::Range(format!("must be between {least} and {most}")))
    }
}

fn flag(value: Value<'_>) -> Result<bool, Wrong> {
    if let Value::Flag(flag) = value { Ok(flag) } else { Err(Wrong::Form("must be true or false".to_owned())) }
}

/// An error code of S3: letters and digits, as XML can carry it.
fn code(value: Value<'_>) -> Result<String, Wrong> {
    let Value::Text(text) = value else { return Err(Wrong::Form("must be a text".to_owned())) };
    let fits = (1..=CODE_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let rule = "must have 1 to 64 letters and digits, such as AccessDenied";
    if fits { Ok(text.to_owned()) } else { Err(Wrong::Range(rule.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut settings = Settings::default();
        settings.set(Setting::IamPropagation, Value::Text("90s")).unwrap();
        settings.set(Setting::CosBucketsMax, Value::Whole(i64::MAX)).unwrap();
        settings.set(Setting::CosReserveDeletedNames, Value::Flag(true)).unwrap();
        let mut read = Settings::default();
        for setting in Setting::ALL {
            read.read(setting, &settings.to_text(setting)).unwrap();
        }
        assert_eq!(read, settings);
        assert_eq!(read.iam_propagation.length(), Duration::from_secs(90));
    }

    #[test]
    fn each_name_is_read_back() {
        for setting in Setting::ALL {
            assert_eq!(Setting::parse(setting.name()), Some(setting));
        }
        assert_eq!(Setting::parse("cosKeyInfoTTL"), None);
    }

    #[test]
    fn a_wrong_type_is_told_from_what_is_out_of_range() {
        let mut settings = Settings::default();
        for (setting, value) in [
            (Setting::IamPropagation, Value::Whole(5)),
            (Setting::IamPropagation, Value::Text("soon")),
            (Setting::CosBucketsMax, Value::Text("5")),
            (Setting::CosReserveDeletedNames, Value::Whole(1)),
            (Setting::CosKeyUnavailableCode, Value::Other),
        ] {
            assert!(matches!(settings.set(setting, value), Err(Wrong::Form(_))), "{setting:?}");
        }
        for (setting, value) in [
            (Setting::CosKeyUnavailableStatus, Value::Whole(200)),
            (Setting::CosKeyUnavailableCode, Value::Text("<Code>")),
            (Setting::CosStorageBytesMax, Value::Whole(-1)),
            (Setting::WebhookTimeout, Value::Text("0s")),
            (Setting::WebhookTimeout, Value::Text("11m")),
        ] {
            assert!(matches!(settings.set(setting, value), Err(Wrong::Range(_))), "{setting:?}");
        }
        assert_eq!(settings, Settings::default());
    }
}
