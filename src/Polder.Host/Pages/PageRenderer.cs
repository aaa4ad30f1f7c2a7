using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.Logging.Abstractions;
using Polder.Host.Pages.Frame;

namespace Polder.Host.Pages;

/// <summary>Turns components into text. They get their whole model at once, so one pass is enough and nothing stays alive.</summary>
internal sealed class PageRenderer(IServiceProvider services)
{
    /// <summary>A whole page.</summary>
    public Task<string> PageAsync(IPageModel model) => ComponentAsync(typeof(Layout), model);

    /// <summary>The fragments of a page that live, header and footer included, in one text each.</summary>
    public async Task<IReadOnlyList<string>> FragmentsAsync(IPageModel model)
    {
        var texts = new List<string>();
        foreach (var component in (IEnumerable<Type>)[typeof(LivePulse), typeof(LiveTally), typeof(LiveStamp), typeof(LiveWarnings), .. model.Live])
            texts.Add(await ComponentAsync(component, model).ConfigureAwait(false));
        return texts;
    }

    /// <summary>One component.</summary>
    public async Task<string> ComponentAsync(Type component, object model)
    {
        await using var renderer = new HtmlRenderer(services, NullLoggerFactory.Instance);
        return await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var parameters = ParameterView.FromDictionary(new Dictionary<string, object?> { ["Model"] = model });
            var output = await renderer.RenderComponentAsync(component, parameters).ConfigureAwait(true);
            return output.ToHtmlString();
        }).ConfigureAwait(false);
    }
}
