namespace Polder.Apps.Bundles;

/// <summary>How the mail-bag is set.</summary>
public sealed record MailOptions
{
    /// <summary>How long a letter is tried where nobody says otherwise: 1 hour to 30 days, default 14 days.</summary>
    public TimeSpan Lifetime
    {
        get;
        init => field = value >= TimeSpan.FromHours(1) && value <= LifetimeMax ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "From one hour to 30 days.");
    } = TimeSpan.FromDays(14);

    /// <summary>Copies of a letter that others may hold at the same time: 0 to 16, default 6; with 0 letters go to their receivers only.</summary>
    public int Copies
    {
        get;
        init => field = value is >= 0 and <= 16 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "From 0 to 16.");
    } = 6;

    /// <summary>How often a letter may change hands before it only goes to its receiver: 1 to 8, default 4.</summary>
    public int Hops
    {
        get;
        init => field = value is >= 1 and <= 8 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "From 1 to 8.");
    } = 4;

    /// <summary>Whether contacts' letters are carried. Default true.</summary>
    public bool CarriesForFriends { get; init; } = true;

    /// <summary>Whether strangers' letters are carried, within the quota below. Default true.</summary>
    public bool CarriesForStrangers { get; init; } = true;

    /// <summary>Whether own letters are given to strangers when friends do not bring them on. Default true.</summary>
    public bool UsesStrangers { get; init; } = true;

    /// <summary>Whether a contact who asks us to carry a letter is told that its receiver is our contact, too. Default true.</summary>
    public bool TellsCommonFriends { get; init; } = true;

    /// <summary>Bytes of own letters that wait. Default 256 MiB; above that nothing more is posted.</summary>
    public long OwnBytesMax { get; init; } = 256L << 20;

    /// <summary>Bytes carried for others in all. Default 64 MiB.</summary>
    public long CarriedBytesMax { get; init; } = 64L << 20;

    /// <summary>Letters carried for others in all. Default 8192.</summary>
    public int CarriedLettersMax { get; init; } = 8192;

    /// <summary>Bytes carried for one contact. Default 16 MiB.</summary>
    public long FriendBytesMax { get; init; } = 16L << 20;

    /// <summary>Bytes carried for all strangers together. Default 16 MiB.</summary>
    public long StrangersBytesMax { get; init; } = 16L << 20;

    /// <summary>Bytes carried for one stranger. Default 1 MiB.</summary>
    public long StrangerBytesMax { get; init; } = 1L << 20;

    /// <summary>Letters carried for one stranger. Default 32.</summary>
    public int StrangerLettersMax { get; init; } = 32;

    /// <summary>How long a stranger's letter is carried. Default 3 days.</summary>
    public TimeSpan StrangerAge { get; init; } = TimeSpan.FromDays(3);

    /// <summary>Letters a day that strangers may put into our own hands, all together. Default 256.</summary>
    public int LettersFromStrangersPerDay { get; init; } = 256;

    /// <summary>So long a letter waits for its receiver alone before friends are asked. Default 5 s.</summary>
    public TimeSpan FriendsAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>So long only common friends are given a letter, where there may be some. Default 30 s.</summary>
    public TimeSpan AnyFriendAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>So long strangers are not. Default 10 min.</summary>
    public TimeSpan StrangersAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How often what waits is looked at. Default 15 s.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The longest life of a letter.</summary>
    public static TimeSpan LifetimeMax => TimeSpan.FromDays(30);
}
