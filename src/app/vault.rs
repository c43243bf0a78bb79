//! Key material between memory and store: made or taken, sealed for its place, opened again.

use crate::crypto::Error;
use crate::crypto::master_key::{MasterKey, Sealed};
use crate::crypto::random::Random;
use crate::domain::id::{
    AdapterId, ApiKeyId, CertificateId, DeliveryId, EventId, IamPolicyId, InstanceId, KeyId, ObjectId, PolicyId,
    ResourceKeyId, ServiceIdentityId, VersionId,
};
use crate::domain::material::{GENERATED_BYTES, Material};
use crate::store::secrets::SealedRow;

/// The master key and the source of randomness.
pub(crate) struct Vault {
    master_key: MasterKey,
    pub(crate) random: Random,
}

impl Vault {
    /// Over a master key.
    pub(crate) fn new(master_key: MasterKey, random: Random) -> Self {
        Self { master_key, random }
    }

    /// New material of 32 random bytes.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn generate(&self) -> Result<Material, Error> {
        let mut bytes = vec![0; GENERATED_BYTES];
        self.random.fill(&mut bytes)?;
        Ok(Material::new(bytes))
    }

    /// Seals a version's material: it opens for this key and version alone.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn seal_version(&self, key: KeyId, version: VersionId, material: &Material) -> Result<SealedRow, Error> {
        self.seal(&version_place(key, version), material.bytes())
    }

    /// Opens a version's material.
    ///
    /// # Errors
    /// `Sealed` for a record that was damaged or moved.
    pub(crate) fn open_version(&self, key: KeyId, version: VersionId, row: SealedRow) -> Result<Material, Error> {
        self.open(&version_place(key, version), row)
    }

    /// Seals a secret for a place of the service's own.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn seal(&self, place: &str, secret: &[u8]) -> Result<SealedRow, Error> {
        let Sealed { nonce, bytes } = self.master_key.seal(place, secret, &self.random)?;
        Ok((nonce, bytes))
    }

    /// Seals as [`Vault::seal`], with a nonce that is not drawn from a seed: what goes on beside requests must not change
    /// the bytes that they get.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn seal_apart(&self, place: &str, secret: &[u8]) -> Result<SealedRow, Error> {
        let Sealed { nonce, bytes } = self.master_key.seal(place, secret, &Random::system())?;
        Ok((nonce, bytes))
    }

    /// Opens such a secret.
    ///
    /// # Errors
    /// `Sealed` for another master key or damage.
    pub(crate) fn open(&self, place: &str, (nonce, bytes): SealedRow) -> Result<Material, Error> {
        self.master_key.open(place, &Sealed { nonce, bytes })
    }

    /// A new key id.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn key_id(&self) -> Result<KeyId, Error> {
        self.random.array().map(KeyId::from_random)
    }

    /// A new version id.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn version_id(&self) -> Result<VersionId, Error> {
        self.random.array().map(VersionId::from_random)
    }

    /// A new policy id.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn policy_id(&self) -> Result<PolicyId, Error> {
        self.random.array().map(PolicyId::from_random)
    }

    /// A new id of an access policy.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn iam_policy_id(&self) -> Result<IamPolicyId, Error> {
        self.random.array().map(IamPolicyId::from_random)
    }

    /// A new service id of IAM.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn service_identity_id(&self) -> Result<ServiceIdentityId, Error> {
        self.random.array().map(ServiceIdentityId::from_random)
    }

    /// A new id of an API key.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn api_key_id(&self) -> Result<ApiKeyId, Error> {
        self.random.array().map(ApiKeyId::from_random)
    }

    /// A new instance id.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn instance_id(&self) -> Result<InstanceId, Error> {
        self.random.array().map(InstanceId::from_random)
    }

    /// A new id of a resource key.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn resource_key_id(&self) -> Result<ResourceKeyId, Error> {
        self.random.array().map(ResourceKeyId::from_random)
    }

    /// A new event id.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn event_id(&self) -> Result<EventId, Error> {
        self.random.array().map(EventId::from_random)
    }

    /// A new id of a delivery.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn delivery_id(&self) -> Result<DeliveryId, Error> {
        self.random.array().map(DeliveryId::from_random)
    }

    /// A new id of a KMIP adapter.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn adapter_id(&self) -> Result<AdapterId, Error> {
        self.random.array().map(AdapterId::from_random)
    }

    /// A new id of a KMIP client certificate.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn certificate_id(&self) -> Result<CertificateId, Error> {
        self.random.array().map(CertificateId::from_random)
    }

    /// A new id of a KMIP object.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn object_id(&self) -> Result<ObjectId, Error> {
        self.random.array().map(ObjectId::from_random)
    }
}

fn version_place(key: KeyId, version: VersionId) -> String {
    format!("key {key} version {version}")
}
