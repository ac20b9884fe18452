namespace ClaimCheck.Consumer.Listening;

/// <summary>Creates a listener's handlers, each in a scope of its own, which the caller disposes.</summary>
internal sealed class HandlerScopes(IServiceScopeFactory scopes, Func<IServiceProvider, IBatchHandler> make)
{
    public AsyncServiceScope Create() => scopes.CreateAsyncScope();

    public IBatchHandler HandlerOf(AsyncServiceScope scope) => make(scope.ServiceProvider);
}
