namespace Polder.Apps.Parcels.Mailbox;

/// <summary>What a mailbox server takes from strangers before it says no. The stock server has none of these bounds.</summary>
public static class MailboxLimits
{
    /// <summary>Bytes of one frame.</summary>
    public const int FrameBytesMax = 1 << 20;
    /// <summary>Bytes of a message that an error repeats; a longer one is left out.</summary>
    public const int OrigBytesMax = 64 << 10;
    /// <summary>Messages in one mailbox.</summary>
    public const int MessagesMax = 64;
    /// <summary>Bytes in one mailbox.</summary>
    public const int MailboxBytesMax = 2 << 20;
    /// <summary>Bytes of a phase.</summary>
    public const int PhaseBytesMax = 64;
    /// <summary>Bytes of a side, an app id, a mailbox id and the id of a message.</summary>
    public const int NameBytesMax = 128;
    /// <summary>Digits of a nameplate.</summary>
    public const int NameplateDigitsMax = 40;
    /// <summary>Numbers drawn by one address in a minute.</summary>
    public const int AllocationsPerMinuteMax = 20;
    /// <summary>Nameplates that one address may hold.</summary>
    public const int NameplatesPerAddressMax = 100;
    /// <summary>Nameplates in all.</summary>
    public const int NameplatesMax = 2_000;
    /// <summary>Mailboxes in all.</summary>
    public const int MailboxesMax = 10_000;
    /// <summary>Connections in all, and from one address.</summary>
    public const int ConnectionsMax = 2_000, ConnectionsPerAddressMax = 200;
    /// <summary>Bytes that may wait for one subscriber; past it the line is dropped, and the client comes back.</summary>
    public const int QueuedBytesMax = 256 << 10;
    /// <summary>How often old mailboxes are looked for.</summary>
    public static readonly TimeSpan PruneInterval = TimeSpan.FromMinutes(5);
    /// <summary>How long a mailbox without subscriber lives.</summary>
    public static readonly TimeSpan MailboxLifetime = TimeSpan.FromMinutes(11);
}
