//! CRNs of root keys, as they come with the creation of a bucket. Source: docs, buckets; `docs/contract/cos.md` 6.1, 6.4.

use crate::cos::domain::refusal::{Code, Refusal};
use crate::domain::id::{InstanceId, KeyId};

/// Names that the third segment may have.
const CLOUDS: [&str; 3] = ["bluemix", "ibmcloud", "staging"];

/// What IBM says of any root key that cannot be had. Source: docs, kp.
pub(crate) const NOT_FOUND: &str = "The Key CRN could not be found";

/// The CRN of a root key, of the right form; whether there is such a key is another matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyCrn {
    text: String,
    pub(crate) region: String,
    pub(crate) account: String,
    /// `None` for what no instance can be called.
    pub(crate) instance: Option<InstanceId>,
    /// `None` for what no key can be called.
    pub(crate) key: Option<KeyId>,
}

impl KeyCrn {
    /// Reads a CRN.
    ///
    /// # Errors
    /// `InvalidArgument` for what is no CRN of a root key; `InvalidRequest` for one of Hyper Protect.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let malformed = || {
            let why = "The root key CRN is not valid: crn:v1:bluemix:public:kms:{region}:a/{account}:{instance}:key:{key} \
                       is needed.";
            Refusal::new(Code::InvalidArgument, why)
        };
        let segments: Vec<&str> = text.split(':').collect();
        let ["crn", "v1", cloud, "public", service, region, scope, instance, kind, resource] = segments.as_slice()
        else {
            return Err(malformed());
        };
        let account = scope.strip_prefix("a/").filter(|account| !account.is_empty()).ok_or_else(malformed)?;
        if !CLOUDS.contains(cloud) || region.is_empty() || instance.is_empty() {
            return Err(malformed());
        }
        match *service {
            "kms" => {}
            "hs-crypto" => {
                // Source: Terraform provider, issue 4936.
                let why = "Server Side Encryption with hs-crypto is not enabled.";
                return Err(Refusal::new(Code::InvalidRequest, why));
            }
            _ => return Err(malformed()),
        }
        if *kind != "key" || resource.is_empty() {
            // Source: Python SDK, issue 36.
            let why = "The resource type is missing or the specified value is not valid. Supported value: \"key\".";
            return Err(Refusal::new(Code::InvalidArgument, why));
        }
        Ok(Self {
            text: text.to_owned(),
            region: (*region).to_owned(),
            account: account.to_owned(),
            instance: InstanceId::parse(instance),
            key: KeyId::parse(resource),
        })
    }

    /// The CRN as it came.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

/// The refusal that does not tell whether there is such a key.
pub(crate) fn not_found() -> Refusal {
    Refusal::new(Code::InvalidRequest, NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "crn:v1:bluemix:public:kms:us-south:a/acc:3a5cf1a6-1f0e-4b3d-9d3c-0f1f3f1c8a11:key:\
                        02fd6835-6001-4482-a892-13bd2085f75d";

    #[test]
    fn a_root_keys_crn_is_taken_apart() {
        let crn = KeyCrn::parse(GOOD).unwrap();
        assert_eq!((crn.region.as_str(), crn.account.as_str()), ("us-south", "acc"));
        assert!(crn.instance.is_some() && crn.key.is_some());
        for cloud in ["ibmcloud", "staging"] {
            assert!(KeyCrn::parse(&GOOD.replace("bluemix", cloud)).is_ok());
        }
        assert!(KeyCrn::parse(&GOOD.replace("02fd6835", "nonsense")).unwrap().key.is_none());
    }

    #[test]
    fn other_texts_are_refused_each_in_its_way() {
        let refused = |text: &str| {
            let refusal = KeyCrn::parse(text).unwrap_err();
            (refusal.code.into_owned(), refusal.message.into_owned())
        };
        for wrong in ["", "crn:v1", &GOOD.replace(":kms:", ":iam:"), &GOOD.replace("bluemix", "aws"), &GOOD[4..]] {
            assert_eq!(refused(wrong).0, "InvalidArgument", "{wrong}");
        }
        let instance = "crn:v1:bluemix:public:kms:us-south:a/acc:3a5cf1a6-1f0e-4b3d-9d3c-0f1f3f1c8a11::";
        let (code, message) = refused(instance);
        assert_eq!(code, "InvalidArgument");
        assert_eq!(
            message,
            "The resource type is missing or the specified value is not valid. Supported value: \"key\"."
        );
        let (code, message) = refused(&GOOD.replace(":kms:", ":hs-crypto:"));
        assert_eq!(code, "InvalidRequest");
        assert_eq!(message, "Server Side Encryption with hs-crypto is not enabled.");
    }
}
