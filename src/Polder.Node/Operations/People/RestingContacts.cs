using Polder.Apps.Contacts;
using Polder.Identity;

namespace Polder.Node.Operations;

/// <summary>The contacts in a folder at rest: they can be read, and nothing is changed.</summary>
internal sealed class RestingContacts(string folder, PublicKey own, Func<string, OperationRefusedException> notRunning) : IContactOperations
{
    private const string Change = "Only a running node changes its contacts.";

    public Task<ContactBookView> BookAsync(CancellationToken cancellation = default)
    {
        var (name, cards, requests) = Read();
        return Task.FromResult(new ContactBookView(PeerNames.Of(own), name, [.. cards.Select(card => View(card, cards))],
            [.. requests.Select(request => ContactViews.Of(request, key => NameOf(key, cards)))]));
    }

    public Task<PersonView> ShowAsync(string who, CancellationToken cancellation = default)
    {
        var cards = Read().Cards;
        return Task.FromResult(View(ContactViews.Choose(ContactSearch.Find(cards, who), who), cards));
    }

    public Task<ContactCardView> CardAsync(CancellationToken cancellation = default) => Task.FromResult(ContactViews.Card(own, Read().OwnName));
    public Task<ContactCardView> NameOwnAsync(string name, CancellationToken cancellation = default) => throw notRunning(Change);
    public Task<PersonAdded> AddAsync(PersonToAdd person, CancellationToken cancellation = default) => throw notRunning("Only a running node can meet somebody.");
    public Task<PersonView> ChangeAsync(string who, PersonChange change, CancellationToken cancellation = default) => throw notRunning(Change);
    public Task<PersonView> RemoveAsync(string who, CancellationToken cancellation = default) => throw notRunning(Change);
    public Task<PersonAdded?> AnswerAsync(string key, bool accept, string? name = null, CancellationToken cancellation = default) => throw notRunning(Change);
    public Task<IntroductionView> IntroduceAsync(string who, string to, CancellationToken cancellation = default) => throw notRunning("Only a running node can introduce people.");
    public Task<byte[]> ExportAsync(bool shared = false, CancellationToken cancellation = default) => throw notRunning("Only a running node signs a file of contacts.");
    public Task<ContactsImported> ImportAsync(byte[] file, CancellationToken cancellation = default) => throw notRunning(Change);
    public Task<SpokenView> SpeakAsync(string? code = null, CancellationToken cancellation = default) => throw notRunning("Only a running node can meet somebody.");
    public Task<SpokenView> SpokenAsync(CancellationToken cancellation = default) => throw notRunning("Only a running node has a code open.");
    public Task<SpokenView> HushAsync(CancellationToken cancellation = default) => throw notRunning("Only a running node has a code open.");

    private (string OwnName, IReadOnlyList<ContactCard> Cards, IReadOnlyList<ContactRequest> Requests) Read()
    {
        try
        {
            var path = Path.Combine(folder, "contacts.book");
            if (File.Exists(path) && new FileInfo(path).Length <= ContactBookFile.BytesMax && ContactBookFile.Read(File.ReadAllBytes(path)) is { } book)
                return (book.OwnName, [.. book.Cards.OrderBy(static card => card.Name, StringComparer.OrdinalIgnoreCase)], book.Requests);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new OperationRefusedException(RefusalKind.Conflict, $"The contacts cannot be read: {problem.Message}");
        }
        return ("", [], []);
    }

    private PersonView View(ContactCard card, IReadOnlyList<ContactCard> cards) =>
        ContactViews.Of(card, own, key => NameOf(key, cards), ContactSearch.Degree(card.Key, own, key => cards.FirstOrDefault(one => one.Key == key)), false);

    private static string NameOf(PublicKey key, IReadOnlyList<ContactCard> cards) => cards.FirstOrDefault(card => card.Key == key)?.Name ?? key.ShortName;
}
