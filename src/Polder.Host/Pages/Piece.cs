using Microsoft.AspNetCore.Components;

namespace Polder.Host.Pages;

/// <summary>A component that draws a model, and nothing else.</summary>
public abstract class Piece<T> : ComponentBase
{
    [Parameter, EditorRequired] public required T Model { get; set; }
}
