using Polder.Identity;

namespace Polder.Apps.Bundles.Letters;

/// <summary>A letter that arrived: opened, its signature checked, and never given to its handler before, as far as this node knows.</summary>
/// <remarks>
/// A handler keeps <see cref="Id"/> with what it stores, and answers true at once for one that it has: when the node dies between the
/// handler's own flush and ours, the letter is given once more.
/// </remarks>
/// <param name="Id">Its name; the same at its sender.</param>
/// <param name="From">Who signed it.</param>
/// <param name="Kind">What it is about.</param>
/// <param name="Body">What it says, at most <see cref="MailLimits.BodyBytesMax"/> bytes. Untrusted.</param>
/// <param name="Made">When, by its sender's clock.</param>
/// <param name="Number">Its place among the letters of this sender to us, from 1; letters may overtake each other.</param>
public sealed record Letter(LetterId Id, PublicKey From, LetterKind Kind, ReadOnlyMemory<byte> Body, DateTimeOffset Made, ulong Number);
