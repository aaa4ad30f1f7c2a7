namespace Polder.Node.Dumps;

/// <summary>The forms in which a ledger goes to and comes from other programs (docs/ledger-store.md).</summary>
public enum DumpFormat
{
    /// <summary>Comma-separated values, RFC 4180, with a heading.</summary>
    Csv,
    /// <summary>One JSON object a line.</summary>
    Json,
    /// <summary>PostgreSQL's COPY text between the SQL that makes the table: what <c>psql -f</c> takes.</summary>
    Copy,
}

/// <summary>The columns of a dump, in their order.</summary>
internal static class DumpColumns
{
    public const string Kind = "kind", Packed = "packed", Second = "second", Proposal = "proposal";

    /// <summary>Names and PostgreSQL types.</summary>
    public static readonly (string Name, string SqlType)[] All =
    [
        (Kind, "text NOT NULL"), ("public_key", "text NOT NULL"), ("sequence", "bigint NOT NULL"), ("link_public_key", "text NOT NULL"),
        ("link_sequence", "bigint NOT NULL"), ("type", "text NOT NULL"), ("timestamp", "numeric(20) NOT NULL"), ("hash", "text NOT NULL"),
        ("unit", "text"), ("gave", "bigint"), ("got", "bigint"), (Packed, "text"), (Second, "text"), (Proposal, "text"),
    ];

    /// <summary>What <see cref="Kind"/> says of a block.</summary>
    public const string Block = "block";

    /// <summary>The most bytes of a line: three blocks of a proof, each with the longest type and transaction that are kept, in base64, and room.</summary>
    public const int LineBytesMax = 256 * 1024;
}

/// <summary>A dump that cannot be read on. The message says where, what is wrong and what was expected.</summary>
/// <param name="line">From 1.</param>
/// <param name="message">In words, without the line.</param>
public sealed class DumpException(long line, string message) : Exception(message)
{
    /// <summary>The line, from 1.</summary>
    public long Line => line;
}
