using Polder.Node.Operations;

namespace Polder.Host.Pages.Contacts;

/// <param name="Book">Everybody, and those who wait.</param>
/// <param name="Card">The owner's own card.</param>
/// <param name="Spoken">How far a spoken code is.</param>
/// <param name="Add">What was typed to add somebody.</param>
public sealed record ContactsModel(FrameModel Frame, ContactBookView Book, ContactCardView Card, SpokenView Spoken, FormState Add) : IPageModel
{
    public string Title => "Contacts";
    public string Here => "contacts";
    public Type Body => typeof(ContactsPage);
    public IReadOnlyList<Type> Live { get; } = [typeof(ContactsLede), typeof(ContactRequests), typeof(PeopleTable), typeof(SpokenState)];
}

/// <param name="Person">The contact.</param>
/// <param name="Others">Those to whom it may be introduced.</param>
/// <param name="Form">What was typed.</param>
public sealed record ContactModel(FrameModel Frame, PersonView Person, IReadOnlyList<PersonView> Others, FormState Form) : IPageModel
{
    public string Title => Person.Name;
    public string Here => "contacts";
    public Type Body => typeof(ContactPage);
    public IReadOnlyList<Type> Live { get; } = [typeof(ContactFacts)];

    /// <summary>The page of a contact.</summary>
    public static string Link(string publicKey) => "/contact?who=" + Uri.EscapeDataString(publicKey);
}
