namespace ClaimCheck.Adapter.Exports;

/// <summary>The request of a consumer system: a route, and criteria in addition to the route's own.</summary>
internal sealed record OnDemandRequest(Route Route, IReadOnlyDictionary<string, JsonElement> Criteria);

/// <summary>Reads the body of <c>POST /exports</c>; collects what is wrong with each field.</summary>
internal static class RequestReader
{
    private const int MostCriteria = 100;

    /// <returns>The request, or the errors by field.</returns>
    public static (OnDemandRequest? Request, IReadOnlyDictionary<string, string[]> Errors) Read(
        JsonElement body, CheckedAdapterOptions options, ApiCaller caller)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var property in body.EnumerateObject().Where(property => property.Name is not ("route" or "criteria")))
            errors[property.Name] = [NearestName.NotAField(property.Name, ["route", "criteria"])];
        var route = RouteOf(body, [.. options.Routes.Where(each => each.IsOnDemand && each.IsFor(caller.Name))], errors);
        var criteria = CriteriaOf(body, route, errors);
        return errors.Count > 0 || route is null ? (null, errors) : (new(route, criteria), errors);
    }

    private static Route? RouteOf(JsonElement body, List<Route> routes, Dictionary<string, string[]> errors)
    {
        if (!body.TryGetProperty("route", out var given) || given.ValueKind == JsonValueKind.Null)
        {
            if (routes.Count == 1)
                return routes[0];
            errors["route"] = ["Must be given: there is more than one route on demand for this caller, or none."];
            return null;
        }

        if (given.ValueKind != JsonValueKind.String)
            errors["route"] = ["Must be text."];
        else if (routes.Find(each => each.Name == given.GetString()) is { } route)
            return route;
        else
            errors["route"] = ["Unknown on-demand route; GET /routes lists all."];
        return null;
    }

    private static Dictionary<string, JsonElement> CriteriaOf(JsonElement body, Route? route, Dictionary<string, string[]> errors)
    {
        var criteria = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        if (!body.TryGetProperty("criteria", out var given) || given.ValueKind == JsonValueKind.Null)
            return criteria;
        if (given.ValueKind != JsonValueKind.Object || given.EnumerateObject().Count() > MostCriteria)
        {
            errors["criteria"] = [$"Must be an object of at most {MostCriteria} parameters."];
            return criteria;
        }

        foreach (var property in given.EnumerateObject())
        {
            // What the operator has fixed, for example whose data it is, can't be changed by a caller.
            if (route?.Criteria.ContainsKey(property.Name) == true)
                errors[$"criteria.{property.Name}"] = ["Is fixed by the route."];
            else
                criteria[property.Name] = property.Value;
        }

        return criteria;
    }
}
