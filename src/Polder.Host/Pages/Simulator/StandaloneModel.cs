namespace Polder.Host.Pages.Simulator;

/// <summary>A page in one file: the style sheet inside, no script, no link to anything.</summary>
/// <param name="Title">Its title.</param>
/// <param name="Body">The component that draws what it is about.</param>
/// <param name="Content">What that component draws.</param>
public sealed record StandaloneModel(string Title, Type Body, object Content)
{
    /// <summary>Draws one, without a node.</summary>
    public static async Task<string> DrawAsync(string title, Type body, object content)
    {
        var services = new ServiceCollection().BuildServiceProvider();
        await using (services.ConfigureAwait(false))
            return "<!doctype html>\n" + await new PageRenderer(services).ComponentAsync(typeof(StandalonePage), new StandaloneModel(title, body, content)).ConfigureAwait(false);
    }
}
