namespace Polder.Apps.Parcels.Mailbox;

/// <summary>Keeps a mailbox server's state over a restart.</summary>
public interface IMailboxStore
{
    /// <summary>Everything kept, as changes that lead there: nameplates, mailboxes, then messages in order of arrival.</summary>
    IReadOnlyList<MailboxChange> Load();

    /// <summary>Takes all of them or none; they are there after a crash of the program once this returns.</summary>
    void Commit(IReadOnlyList<MailboxChange> changes);
}

/// <summary>One step of a mailbox server's state.</summary>
public abstract record MailboxChange
{
    /// <summary>A nameplate is there, or its sides changed.</summary>
    public sealed record PutNameplate(string App, string Name, string Mailbox, TwoSides Sides) : MailboxChange;
    /// <summary>A nameplate is gone.</summary>
    public sealed record DropNameplate(string App, string Name) : MailboxChange;
    /// <summary>A mailbox is there, or its sides changed.</summary>
    public sealed record PutMailbox(string Id, string App, TwoSides Sides) : MailboxChange;
    /// <summary>A mailbox and its messages are gone.</summary>
    public sealed record DropMailbox(string Id) : MailboxChange;
    /// <summary>A message came into a mailbox.</summary>
    public sealed record AddMessage(string Mailbox, MailboxMessage Message) : MailboxChange;
}

/// <summary>A message as it lies in a mailbox.</summary>
/// <param name="Side">Who added it.</param>
/// <param name="Phase">Its phase, as JSON.</param>
/// <param name="Body">Its body, as JSON.</param>
/// <param name="Received">When it came, seconds since 1970.</param>
/// <param name="Id">The adder's id for it, as JSON; "null" for none.</param>
public sealed record MailboxMessage(string Side, string Phase, string Body, double Received, string Id)
{
    /// <summary>Bytes that it counts for.</summary>
    public int Bytes => Side.Length + Phase.Length + Body.Length + Id.Length;
}

/// <summary>The at most two sides of a nameplate or mailbox, and whether each still holds it. A third is refused and leaves no trace.</summary>
public readonly record struct TwoSides(string? First, bool FirstHolds, string? Second, bool SecondHolds)
{
    /// <summary>Whether anybody holds on.</summary>
    public bool Held => FirstHolds || SecondHolds;
    /// <summary>Whether this side is one of the two.</summary>
    public bool Knows(string side) => First == side || Second == side;
    /// <summary>Whether this side holds it.</summary>
    public bool Holds(string side) => (First == side && FirstHolds) || (Second == side && SecondHolds);
    /// <summary>Whether it could be one of the two.</summary>
    public bool HasRoomFor(string side) => Knows(side) || First is null || Second is null;
    /// <summary>This side holds it, or does no more.</summary>
    public TwoSides With(string side, bool holds) =>
        First == side || (First is null && Second != side) ? this with { First = side, FirstHolds = holds } : this with { Second = side, SecondHolds = holds };
}
