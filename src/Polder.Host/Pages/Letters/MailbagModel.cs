using System.Globalization;
using Polder.Node.Operations;
using Polder.Node.Operations.People;

namespace Polder.Host.Pages.Letters;

/// <summary>The page Mail-bag.</summary>
/// <param name="Frame">What every page shows.</param>
/// <param name="Bag">What waits for whom and where, and what is carried for others.</param>
/// <param name="Contacts">For whom a bundle can be made.</param>
/// <param name="Problem">Why a file was not taken.</param>
public sealed record MailbagModel(FrameModel Frame, MailbagView Bag, IReadOnlyList<PeerName> Contacts, string? Problem) : IPageModel
{
    public string Title => "Mail-bag";
    public string Here => "mailbag";
    public Type Body => typeof(MailbagPage);
    public IReadOnlyList<Type> Live { get; } = [typeof(MailbagLede), typeof(MailbagWaiting), typeof(MailbagCarried)];

    /// <summary>A size for people.</summary>
    public static string Size(long bytes) => bytes switch
    {
        >= 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0.#} MB"),
        >= 1 << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 10):0.#} KB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
    };
}
