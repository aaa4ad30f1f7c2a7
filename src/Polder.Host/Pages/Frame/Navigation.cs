namespace Polder.Host.Pages.Frame;

/// <summary>A page in the navigation.</summary>
/// <param name="Name">What <see cref="IPageModel.Here"/> says on it.</param>
/// <param name="Path">Its address.</param>
/// <param name="Title">What its link says.</param>
internal sealed record NavigationPage(string Name, string Path, string Title);

/// <summary>Pages that belong together. Its link leads to the first; the others stand in a second line while one is in one of them.</summary>
/// <param name="Title">What its link says.</param>
/// <param name="Pages">In the order of the second line.</param>
internal sealed record NavigationArea(string Title, IReadOnlyList<NavigationPage> Pages)
{
    public bool Holds(string here)
    {
        foreach (var page in Pages) if (page.Name == here) return true;
        return false;
    }
}

/// <summary>The header's two lines: what people do first comes first, what shows how the node works comes last.</summary>
internal static class Navigation
{
    public static IReadOnlyList<NavigationArea> Areas { get; } =
    [
        new("Home", [new("home", "/", "Home")]),
        new("People", [new("chat", "/chat", "Chat"), new("contacts", "/contacts", "Contacts"), new("send", "/send", "Send"), new("mailbag", "/mailbag", "Mail-bag")]),
        new("Inbox", [new("inbox", "/inbox", "Inbox")]),
        new("Trust", [new("trust", "/trust", "Scores"), new("chain", "/chain", "Chain"), new("network", "/network", "Network"), new("fraud", "/fraud", "Fraud")]),
        new("Node", [new("peers", "/peers", "Peers"), new("doctor", "/doctor", "Doctor"), new("graph", "/graph", "Graph"), new("lab", "/lab", "Lab")]),
    ];
}
