using Polder.Node.Operations;
using Polder.Node.Operations.People;

namespace Polder.Host.Pages.Graph;

/// <summary>What the form of the page Graph does: topics are kept, or kept no longer.</summary>
internal sealed class GraphPosts(INodeOperations node, PageLoader loader, Notices notices)
{
    private const int FormBytesMax = 16 * 1024;

    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/graph/topics", (RequestDelegate)(context => Posts.TakeAsync(context, ChangeAsync, FormBytesMax)));

    private async Task ChangeAsync(HttpContext context, IFormCollection form)
    {
        var (topic, leave) = (form["topic"].ToString().Trim(), form["leave"].ToString() == "1");
        try
        {
            await node.Graph.ChangeTopicAsync(new GraphTopicRequest(topic, leave), context.RequestAborted).ConfigureAwait(false);
            var notice = leave ? new Notice("good", "Kept no longer with others.", "What is here of it stays.") : new Notice("good", "Kept from now on.", "Others who keep it are looked for.");
            context.Response.StatusCode = StatusCodes.Status303SeeOther;
            context.Response.Headers.Location = $"/graph?notice={notices.Keep(notice)}";
        }
        catch (OperationRefusedException refusal)
        {
            var state = new FormState(new Dictionary<string, string> { ["topic"] = topic }, new Dictionary<string, string> { ["topic"] = refusal.Message });
            await PageRoutes.AnswerAsync(context, () => loader.GraphAsync("", null, null, null, context.RequestAborted, state), StatusCodes.Status422UnprocessableEntity).ConfigureAwait(false);
        }
    }
}
