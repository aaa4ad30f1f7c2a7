namespace Polder.Overlay.Dht;

/// <summary>What a record of our DHT is, and so what its key is made of (OV-10.1).</summary>
public enum RecordKind : byte
{
    /// <summary>Key = SHA-256 of the value: nobody can change it.</summary>
    Immutable = 1,
    /// <summary>Key = SHA-256(public key | salt): its publisher can replace it by one of a higher sequence number.</summary>
    Mutable = 2,
    /// <summary>Where its publisher is: key = SHA-256(public key | "contact"), short-lived.</summary>
    Contact = 3,
    /// <summary>That its publisher belongs to a topic: many publishers under one key.</summary>
    Membership = 4,
}
