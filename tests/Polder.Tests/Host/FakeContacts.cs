using Polder.Node.Operations;

namespace Polder.Tests.Host;

/// <summary>A book of people that answers from memory and remembers what it was asked.</summary>
internal sealed class FakeContacts(PeerName own) : IContactOperations
{
    public List<string> Asked { get; } = [];
    public Exception? Trouble { get; set; }
    public string OwnName { get; set; } = "Anna";
    public List<PersonView> People { get; } = [];
    public List<ContactRequestView> Requests { get; } = [];

    public static PersonView Person(string key, string shortName, string name, string? alias = null, bool verified = true) =>
        new(key, shortName, name, alias, verified, verified, false, false, "", null, "added", FakeNode.Then, true, 1, "04127 88210 31337 00042 91827 55512");

    public Task<ContactBookView> BookAsync(CancellationToken cancellation = default) => Give("book", new ContactBookView(own, OwnName, [.. People], [.. Requests]));
    public Task<PersonView> ShowAsync(string who, CancellationToken cancellation = default) => Give("show " + who, Find(who) with { Trust = new PersonTrust(25 << 20, 0.5, 25 << 19) });
    public Task<ContactCardView> CardAsync(CancellationToken cancellation = default) => Give("card", new ContactCardView(own.PublicKey, own.Name, OwnName, $$"""{"public_key":"{{own.PublicKey}}","name":"{{OwnName}}"}"""));
    public Task<ContactCardView> NameOwnAsync(string name, CancellationToken cancellation = default)
    {
        OwnName = name;
        return CardAsync(cancellation);
    }
    public Task<PersonAdded> AddAsync(PersonToAdd person, CancellationToken cancellation = default) =>
        Give($"add {person.Text} {person.Name} {person.Verified}", new PersonAdded(Person(own.PublicKey, own.Name, person.Name ?? own.Name), "It is in your book now."));
    public Task<PersonView> ChangeAsync(string who, PersonChange change, CancellationToken cancellation = default) => Give($"change {who} {change}", Find(who) with { Name = change.Name ?? Find(who).Name });
    public Task<PersonView> RemoveAsync(string who, CancellationToken cancellation = default) => Give("remove " + who, Find(who));
    public Task<PersonAdded?> AnswerAsync(string key, bool accept, string? name = null, CancellationToken cancellation = default) =>
        Give($"answer {key} {accept} {name}", accept ? new PersonAdded(Person(own.PublicKey, own.Name, name ?? own.Name), "It is in your book now.") : null);
    public Task<IntroductionView> IntroduceAsync(string who, string to, CancellationToken cancellation = default) =>
        Give($"introduce {who} {to}", new IntroductionView(own, "arrived", own, "waits", "Both know."));
    public Task<byte[]> ExportAsync(bool shared = false, CancellationToken cancellation = default) => Give($"export {shared}", "{}"u8.ToArray());
    public Task<ContactsImported> ImportAsync(byte[] file, CancellationToken cancellation = default) => Give($"import {file.Length}", new ContactsImported(own, true, 1, 2, 3));

    public SpokenView Code { get; set; } = new("", false, "none", null, "No code is open.");
    public Task<SpokenView> SpeakAsync(string? code = null, CancellationToken cancellation = default) =>
        Give($"speak {code}", Code = new SpokenView(code ?? "4711-crossover-clockwork-adult", code is null, "waiting", null, "Say it to one person."));
    public Task<SpokenView> SpokenAsync(CancellationToken cancellation = default) => Give("spoken", Code);
    public Task<SpokenView> HushAsync(CancellationToken cancellation = default) => Give("hush", Code = new("", false, "none", null, "No code is open."));

    private PersonView Find(string who) => People.FirstOrDefault(person => person.Name == who || person.PublicKey == who)
        ?? throw new OperationRefusedException(RefusalKind.NotFound, $"None of your contacts is called \"{who}\".");

    private Task<T> Give<T>(string asked, T value)
    {
        Asked.Add(asked);
        return Trouble is not null ? throw Trouble : Task.FromResult(value);
    }
}
